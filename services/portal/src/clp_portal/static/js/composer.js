// Writing: drafts, sending with a key that makes a repeat harmless, and what became of it.
import { confirmed } from "./dialogs.js"
import { addressOf, Failure, json, parsed } from "./http.js"
import { text } from "./texts.js"

export class Composer {
  /**
   * @param {HTMLFormElement} form
   * @param {import("./timeline.js").Timeline} timeline
   * @param {import("./uploads.js").Uploads} uploads
   */
  constructor(form, timeline, uploads) {
    this.form = form
    this.timeline = timeline
    this.uploads = uploads
    this.field = /** @type {HTMLTextAreaElement} */ (form.elements.namedItem("text"))
    this.key = /** @type {HTMLInputElement} */ (form.elements.namedItem("key"))
    this.notes = /** @type {HTMLElement} */ (form.querySelector("[data-notes]"))
    this.draft = `clp-draft ${timeline.me} ${timeline.channel}`
    this.field.value ||= localStorage.getItem(this.draft) ?? ""
    // What failed before the page was drawn again keeps its key while it is unchanged.
    this.failed = { written: this.field.value, key: localStorage.getItem(`${this.draft} key`) }
    this.field.addEventListener("input", () => this.#keep())
    this.field.addEventListener("keydown", (event) => this.#pressed(event))
    form.addEventListener("submit", (event) => {
      event.preventDefault()
      this.send()
    })
  }

  /** Begin a reply. @param {string} name */
  replyTo(name) {
    this.field.setRangeText(`@${name} `, this.field.selectionStart, this.field.selectionEnd, "end")
    this.field.focus()
    this.field.dispatchEvent(new Event("input"))
  }

  async send() {
    if (this.uploads.isBusy) return this.#say(text("wait_for_uploads"))
    if (!this.field.value.trim() && !this.uploads.values.length) return
    const written = this.field.value
    const body = new FormData()
    body.set("action", "post")
    body.set("key", (written === this.failed.written && this.failed.key) || this.key.value)
    body.set("text", written)
    for (const value of this.uploads.values) body.append("attachment", value)
    const waiting = this.#showWaiting(written)
    this.key.value = crypto.randomUUID()
    this.field.value = ""
    this.uploads.clear()
    this.notes.replaceChildren()
    this.field.dispatchEvent(new Event("input"))
    await this.#post(body, waiting)
  }

  /** @param {FormData} body @param {HTMLElement} waiting */
  async #post(body, waiting) {
    try {
      const drawn = await json(addressOf(this.form), { method: "POST", body })
      waiting.remove()
      this.#keep()
      await this.timeline.take(drawn)
      this.notes.replaceChildren(parsed(drawn.outcomes))
    } catch (failure) {
      if (!(failure instanceof Failure)) throw failure
      this.#showFailed(body, waiting, failure)
    }
  }

  /** A message that is on its way. @param {string} written */
  #showWaiting(written) {
    const item = Object.assign(document.createElement("div"), { className: "message waiting" })
    const said = Object.assign(document.createElement("div"), { className: "text", textContent: written })
    said.dir = "auto"
    item.append(said)
    this.timeline.inner.append(item)
    this.timeline.scroller.scrollTop = 0
    return item
  }

  /** @param {FormData} body @param {HTMLElement} waiting @param {Failure} failure */
  #showFailed(body, waiting, failure) {
    waiting.className = "message failed"
    if (!this.field.value) this.#keep(String(body.get("text")), String(body.get("key")))
    const reason = Object.assign(document.createElement("p"), {
      className: "error",
      textContent: `${text("not_sent")} ${failure.message}`,
    })
    reason.setAttribute("role", "alert")
    const again = action(text("send_again"), () => {
      waiting.className = "message waiting"
      bar.remove()
      reason.remove()
      this.#post(body, waiting)
    })
    const discard = action(text("discard"), () => {
      this.field.value ||= String(body.get("text"))
      this.#keep()
      waiting.remove()
      this.field.focus()
    })
    const bar = Object.assign(document.createElement("p"), { className: "buttons" })
    // What was refused is refused again: take it back and change it.
    bar.append(...(failure.mayPass ? [again, discard] : [discard]))
    if (failure.status === 401) bar.prepend(link(text("sign_in"), `/-/sign-in?next=${encodeURIComponent(location.pathname)}`))
    waiting.append(reason, bar)
    bar.scrollIntoView({ block: "nearest" })
  }

  /** @param {KeyboardEvent} event */
  #pressed(event) {
    if (event.defaultPrevented || event.isComposing || event.key !== "Enter" || event.shiftKey) return
    event.preventDefault()
    this.send()
  }

  /** Keep a text for the next time that the page is drawn. @param {string} written @param {string} key */
  #keep(written = this.field.value, key = "") {
    for (const [name, value] of [[this.draft, written], [`${this.draft} key`, key]]) {
      if (value) localStorage.setItem(name, value)
      else localStorage.removeItem(name)
    }
  }

  /** @param {string} sentence */
  #say(sentence) {
    const line = Object.assign(document.createElement("p"), { className: "error", textContent: sentence })
    this.notes.replaceChildren(line)
  }
}

/** Edit and delete in place. @param {import("./timeline.js").Timeline} timeline */
export function changeInPlace(timeline) {
  timeline.scroller.addEventListener("click", async (event) => {
    const link = /** @type {Element} */ (event.target).closest("a[data-edit], a[data-delete]")
    if (!(link instanceof HTMLAnchorElement)) return
    const item = /** @type {HTMLElement} */ (link.closest(".message"))
    event.preventDefault()
    link.closest("details")?.removeAttribute("open")
    const form = await formOf(link.href, item)
    if (!form) return
    if ("edit" in link.dataset) edit(form, item, timeline)
    else if (await confirmed(text("delete_question"), text("delete"))) await submit(form, "delete", timeline)
  })
}

/** The form that a page without scripts shows. @param {string} href @param {HTMLElement} item */
async function formOf(href, item) {
  const address = new URL(href, location.href)
  address.searchParams.set("fragment", "1")
  const response = await fetch(address, { headers: { Accept: "text/html" } })
  if (!response.ok) return null
  return /** @type {HTMLFormElement | null} */ (parsed(await response.text()).querySelector(`#${item.id} form`))
}

/** @param {HTMLFormElement} form @param {HTMLElement} item @param {import("./timeline.js").Timeline} timeline */
function edit(form, item, timeline) {
  const row = /** @type {HTMLElement} */ (item.querySelector(".row"))
  row.hidden = true
  item.append(form)
  const field = /** @type {HTMLTextAreaElement} */ (form.elements.namedItem("text"))
  field.focus()
  const stop = () => {
    form.remove()
    row.hidden = false
    item.focus()
  }
  form.querySelector("[data-cancel]")?.addEventListener("click", (event) => {
    event.preventDefault()
    stop()
  })
  form.addEventListener("keydown", (event) => {
    if (event.key === "Escape") stop()
    if (event.key === "Enter" && !event.shiftKey && !event.isComposing) {
      event.preventDefault()
      form.requestSubmit()
    }
  })
  form.addEventListener("submit", async (event) => {
    event.preventDefault()
    await submit(form, "edit", timeline, stop)
  })
}

/**
 * @param {HTMLFormElement} form @param {string} name
 * @param {import("./timeline.js").Timeline} timeline
 * @param {() => void} [done]
 */
async function submit(form, name, timeline, done) {
  const body = new FormData(form)
  body.set("action", name)
  try {
    const drawn = await json(addressOf(form), { method: "POST", body })
    done?.()
    await timeline.take(drawn)
  } catch (failure) {
    form.querySelector(".error")?.remove()
    form.append(Object.assign(document.createElement("p"), { className: "error", textContent: /** @type {Error} */ (failure).message }))
  }
}

/** A link that leaves the page as it is. @param {string} label @param {string} href */
function link(label, href) {
  return Object.assign(document.createElement("a"), { href, textContent: label, target: "_blank", className: "button" })
}

/** @param {string} label @param {() => void} run */
function action(label, run) {
  const button = Object.assign(document.createElement("button"), { type: "button", textContent: label })
  button.addEventListener("click", run)
  return button
}
