// Enhance pages that work without any script.
import { previewAudience } from "./audience.js"
import { changeInPlace, Composer } from "./composer.js"
import { watchConnection } from "./connection.js"
import { openLinksInDialogs } from "./dialogs.js"
import { useKeys } from "./keyboard.js"
import { Timeline } from "./timeline.js"
import { Typeahead } from "./typeahead.js"
import { Uploads } from "./uploads.js"

document.documentElement.classList.add("scripted")
openLinksInDialogs()
watchConnection()
closeMenus()

const conversation = /** @type {HTMLElement | null} */ (document.querySelector(".conversation[data-channel]"))
if (conversation) enhance(conversation)
document.documentElement.dataset.ready = ""

/** @param {HTMLElement} conversation */
function enhance(conversation) {
  const timeline = new Timeline(conversation, document.body.dataset.me ?? "")
  const form = /** @type {HTMLFormElement | null} */ (conversation.querySelector(".composer"))
  let composer = null
  if (form) {
    const field = /** @type {HTMLTextAreaElement} */ (form.elements.namedItem("text"))
    new Typeahead(field, form, timeline.channel)
    composer = new Composer(form, timeline, new Uploads(conversation, form, timeline.channel))
    previewAudience(form)
  }
  changeInPlace(timeline)
  useKeys(timeline, composer)
}

/** A menu closes when something else is pressed, and on Escape. */
function closeMenus() {
  const close = (/** @type {Event} */ event) => {
    for (const menu of document.querySelectorAll("details.menu[open]")) {
      if (event.type === "keydown" || !menu.contains(/** @type {Node} */ (event.target))) menu.removeAttribute("open")
    }
  }
  document.addEventListener("click", close)
  document.addEventListener("keydown", (event) => {
    if (event.key !== "Escape") return
    const menu = document.querySelector("details.menu[open]")
    close(event)
    menu?.querySelector("summary")?.focus()
  })
}
