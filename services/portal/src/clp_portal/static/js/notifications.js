// Notifications of the browser: only after somebody asked for them in this browser, and
// only while no tab of the portal is looked at. Signing out forgets it.
import { announce } from "./announcer.js"
import { parsed } from "./http.js"
import { text } from "./texts.js"
import { authorOf } from "./timeline.js"

const KEPT = "clp-notifications"
const LOOKED_AT = "looked-at"
// What was told or not, as it came: a stream that resumes may tell of it again.
const handled = new Set()
const button = /** @type {HTMLButtonElement | null} */ (document.querySelector("[data-notifications]"))

/** Offer the switch; nothing is asked before it is pressed. */
export function offerNotifications() {
  if (!button || !("Notification" in window)) return
  button.addEventListener("click", change)
  button.hidden = false
  draw()
  document.addEventListener("visibilitychange", look)
  look()
}

function areOn() {
  return localStorage.getItem(KEPT) === "on" && Notification.permission === "granted"
}

async function change() {
  if (areOn()) localStorage.removeItem(KEPT)
  else if ((await Notification.requestPermission()) === "granted") localStorage.setItem(KEPT, "on")
  else announce(text("notifications_blocked"))
  draw()
}

function draw() {
  button?.setAttribute("aria-pressed", String(areOn()))
}

/** Hold a lock that says that somebody looks, as long as this tab is visible. */
function look() {
  if (document.visibilityState !== "visible") return
  navigator.locks.request(LOOKED_AT, { mode: "shared" }, () => new Promise((resolve) => {
    document.addEventListener("visibilitychange", resolve, { once: true })
  }))
}

/**
 * Tell of a message.
 * @param {{channel: string, number: number, html: string}} message
 */
export async function notify({ channel, number, html }) {
  const tag = `${channel}/${number}`
  if (handled.has(tag)) return
  handled.add(tag)
  if (!("Notification" in window) || !areOn()) return
  const { held } = await navigator.locks.query()
  if (held?.some(({ name }) => name === LOOKED_AT)) return
  const item = /** @type {HTMLElement} */ (parsed(html).querySelector(".message"))
  const body = item.querySelector(".text")?.textContent ?? ""
  // One for a message, however many tabs and streams tell of it.
  const shown = new Notification(authorOf(item), { body, tag })
  shown.addEventListener("click", () => {
    window.focus()
    location.assign(`/${channel}/${number}#m${number}`)
  })
}
