// Dialogs: parts of pages in a frame of their own, and a question before deleting.
import { Failure, fragment } from "./http.js"
import { text } from "./texts.js"

const LOOK_AFTER_MS = 2000
const LOOK_AT_LEAST_MS = 30000
const MAX_LOOKS = 20

/**
 * Open a dialog around some content; the focus returns to where it was.
 * @param {Node} content
 * @param {string} [label] for content without a heading
 * @returns {HTMLDialogElement}
 */
export function open(content, label) {
  const before = /** @type {HTMLElement | null} */ (document.activeElement)
  const dialog = document.createElement("dialog")
  const close = Object.assign(document.createElement("button"), {
    type: "button",
    className: "quiet dialog-close",
    textContent: "×",
  })
  close.setAttribute("aria-label", text("close"))
  close.addEventListener("click", () => dialog.close())
  dialog.append(content, close)
  const heading = dialog.querySelector("h1, h2")
  if (heading && !label) {
    heading.id = "dialog-title"
    // A screen reader begins at the heading, not at the first thing to press.
    heading.setAttribute("tabindex", "-1")
    heading.setAttribute("autofocus", "")
    dialog.setAttribute("aria-labelledby", heading.id)
  } else {
    dialog.setAttribute("aria-label", label ?? "")
  }
  dialog.addEventListener("click", (event) => {
    if (event.target === dialog) dialog.close()
  })
  dialog.addEventListener("close", () => {
    dialog.remove()
    before?.focus()
  })
  document.body.append(dialog)
  dialog.showModal()
  return dialog
}

/**
 * Ask before something that cannot be undone.
 * @param {string} question
 * @param {string} answer the label of the button that does it
 * @returns {Promise<boolean>}
 */
export function confirmed(question, answer) {
  const sentence = Object.assign(document.createElement("p"), { textContent: question })
  const buttons = Object.assign(document.createElement("p"), { className: "buttons" })
  const yes = button(answer, "danger")
  const no = button(text("cancel"), "quiet")
  buttons.append(yes, no)
  const content = document.createDocumentFragment()
  content.append(sentence, buttons)
  const dialog = open(content, question)
  return new Promise((resolve) => {
    yes.addEventListener("click", () => {
      resolve(true)
      dialog.close()
    })
    no.addEventListener("click", () => dialog.close())
    dialog.addEventListener("close", () => resolve(false))
  })
}

/** Open links that ask for it in a dialog instead of a page. */
export function openLinksInDialogs() {
  document.addEventListener("click", async (event) => {
    const link = /** @type {Element} */ (event.target).closest(".actions > a, a[data-dialog]")
    if (!(link instanceof HTMLAnchorElement) || event.ctrlKey || event.metaKey) return
    event.preventDefault()
    link.closest("details")?.removeAttribute("open")
    try {
      keepCurrent(open(await fragment(link.href)), link.href)
    } catch (failure) {
      open(document.createTextNode(/** @type {Error} */ (failure).message), link.textContent ?? "")
    }
  })
}

/**
 * Show what becomes of something while it is open: look again, ever more seldom.
 * @param {ParentNode & Node} place
 * @param {string} url
 */
export async function keepCurrent(place, url) {
  const part = place.querySelector("[data-current]")
  if (!part) return
  let shown = part.cloneNode(true)
  for (let look = 0, wait = LOOK_AFTER_MS; look < MAX_LOOKS; look += 1) {
    await new Promise((resolve) => setTimeout(resolve, wait))
    wait = Math.min(wait * 2, LOOK_AT_LEAST_MS)
    if (!part.isConnected) return
    try {
      const now = (await fragment(url)).querySelector("[data-current]")
      if (!now || now.isEqualNode(shown)) continue
      const opened = [...part.querySelectorAll("details")].map((one) => one.open)
      shown = now.cloneNode(true)
      part.replaceChildren(...now.childNodes)
      part.querySelectorAll("details").forEach((one, at) => (one.open = opened[at] ?? false))
    } catch (failure) {
      if (failure instanceof Failure && failure.status) return
    }
  }
}

/** @param {string} label @param {string} className */
function button(label, className) {
  return Object.assign(document.createElement("button"), { type: "button", textContent: label, className })
}
