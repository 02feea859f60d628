// Keys of a conversation. None works while somebody writes.
import { open } from "./dialogs.js"
import { text } from "./texts.js"
import { authorOf } from "./timeline.js"

/**
 * @param {import("./timeline.js").Timeline} timeline
 * @param {import("./composer.js").Composer | null} composer
 */
export function useKeys(timeline, composer) {
  document.addEventListener("keydown", (event) => {
    const target = /** @type {HTMLElement} */ (event.target)
    if (event.ctrlKey || event.metaKey || event.altKey || event.defaultPrevented) return
    if (target.closest("input, textarea, select, dialog, summary")) return
    const item = /** @type {HTMLElement | null} */ (target.closest(".message"))
    const actions = {
      "/": () => /** @type {HTMLElement | null} */ (document.querySelector(".keyword input"))?.focus(),
      "?": () => open(list(), text("shortcuts")),
      ArrowDown: () => timeline.move(1),
      ArrowUp: () => timeline.move(-1),
      e: () => item?.querySelector("a[data-edit]")?.dispatchEvent(new MouseEvent("click", { bubbles: true, cancelable: true })),
      r: () => item && composer?.replyTo(authorOf(item)),
    }
    if (!(event.key in actions)) return
    event.preventDefault()
    actions[/** @type {keyof typeof actions} */ (event.key)]()
  })
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
