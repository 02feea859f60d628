// Enhance pages that work without any script.
import { previewAudience } from "./audience.js"
import { changeInPlace, Composer } from "./composer.js"
import { countOne, recountSoon, retitle } from "./badges.js"
import { keepCurrent, openLinksInDialogs } from "./dialogs.js"
import { useKeys } from "./keyboard.js"
import { notify, offerNotifications } from "./notifications.js"
import { show, Stream, watchConnection } from "./stream.js"
import { text } from "./texts.js"
import { Timeline } from "./timeline.js"
import { Typeahead } from "./typeahead.js"
import { Uploads } from "./uploads.js"

const LEAVE_AFTER_MS = 4000

document.documentElement.classList.add("scripted")
openLinksInDialogs()
keepCurrent(document, location.href)
watchConnection()
offerNotifications()
retitle()
closeMenus()
document.querySelector(".channel.current")?.scrollIntoView({ block: "nearest", inline: "nearest" })

const conversation = /** @type {HTMLElement | null} */ (document.querySelector(".conversation[data-channel]"))
const { timeline, composer } = conversation ? enhance(conversation) : { timeline: null, composer: null }
useKeys(timeline, composer)
if (document.body.dataset.me) listen(document.body.dataset.me, conversation?.dataset.project ?? "")
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
  return { timeline, composer }
}

/** Show what happens elsewhere. @param {string} me @param {string} project */
function listen(me, project) {
  const stream = new Stream(me, project, (event, data) => {
    if (event === "message") take(data).catch(later)
    else if (event === "gone") leave(data.project)
    else if (event === "again") timeline?.reload().catch(later)
    if (["again", "read"].includes(event) || data.deleted) recountSoon().catch(later)
  })
  if (timeline) timeline.onRead = () => stream.share("read")

  /** @param {any} message */
  async function take(message) {
    const { channel, revision, deleted, author } = message
    const isOpen = channel === timeline?.channel
    const isSeen = isOpen && Boolean(timeline?.isWatched)
    if (!deleted && author !== me) countOne(message, isSeen)
    if (revision === 1 && !deleted && author !== me && !isSeen && stream.leads) notify(message)
    if (isOpen) await timeline?.take(message)
  }

  /** @param {string} gone */
  function leave(gone) {
    document.querySelector(`li.project[data-project="${gone}"]`)?.remove()
    if (gone !== project) return
    show(text("gone"))
    setTimeout(() => location.assign("/"), LEAVE_AFTER_MS)
  }
}

/** What was not reached is asked for again when the stream opens the next time. */
function later() {}

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
