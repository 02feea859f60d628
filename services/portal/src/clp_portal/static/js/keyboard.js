// Keys of the pages. None works while somebody writes, and a setting switches all off
// (WCAG 2.1.4). A cookie keeps it: signing out clears the rest of the browser's storage.
import { open } from "./dialogs.js"
import { text } from "./texts.js"
import { authorOf } from "./timeline.js"

const SWITCHED_OFF = "__Host-clp-keys=off"
const YEAR_S = 365 * 24 * 3600

/**
 * @param {import("./timeline.js").Timeline | null} timeline
 * @param {import("./composer.js").Composer | null} composer
 */
export function useKeys(timeline, composer) {
  document.querySelector("[data-shortcuts]")?.addEventListener("click", show)
  document.addEventListener("keydown", (event) => {
    const target = /** @type {HTMLElement} */ (event.target)
    if (event.ctrlKey || event.metaKey || event.altKey || event.defaultPrevented || !areOn()) return
    if (target.closest("input, textarea, select, dialog, summary")) return
    const item = /** @type {HTMLElement | null} */ (target.closest(".message"))
    const actions = {
      "/": () => /** @type {HTMLElement | null} */ (document.querySelector(".keyword input") ?? document.querySelector(".find input"))?.focus(),
      "?": show,
      ArrowDown: timeline && (() => timeline.move(1)),
      ArrowUp: timeline && (() => timeline.move(-1)),
      e: () => item?.querySelector("a[data-edit]")?.dispatchEvent(new MouseEvent("click", { bubbles: true, cancelable: true })),
      r: () => item && composer?.replyTo(authorOf(item)),
    }
    const action = actions[/** @type {keyof typeof actions} */ (event.key)]
    if (!action) return
    event.preventDefault()
    action()
  })
}

function areOn() {
  return !document.cookie.split("; ").includes(SWITCHED_OFF)
}

/** Show the keys, and the setting that switches them off. */
function show() {
  const label = Object.assign(document.createElement("label"), { className: "choice" })
  const box = Object.assign(document.createElement("input"), { type: "checkbox", checked: areOn() })
  box.addEventListener("change", () => {
    document.cookie = `${SWITCHED_OFF}; path=/; secure; samesite=lax; max-age=${box.checked ? 0 : YEAR_S}`
  })
  label.append(box, text("use_keys"))
  const heading = Object.assign(document.createElement("h2"), { className: "dialog-title", textContent: text("shortcuts") })
  const content = document.createDocumentFragment()
  content.append(heading, list(), label)
  open(content)
}

function list() {
  const keys = [
    ["/", "key_search"],
    ["↑ ↓", "key_move"],
    ["r", "key_reply"],
    ["e", "key_edit"],
    ["?", "key_help"],
  ]
  const terms = Object.assign(document.createElement("dl"), { className: "shortcuts" })
  for (const [key, name] of keys) {
    const term = document.createElement("dt")
    term.append(Object.assign(document.createElement("kbd"), { textContent: key }))
    terms.append(term, Object.assign(document.createElement("dd"), { textContent: text(name) }))
  }
  return terms
}
