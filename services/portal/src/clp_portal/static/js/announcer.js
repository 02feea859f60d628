// What a screen reader says: one polite region, at most one sentence in three seconds.
const PAUSE_MS = 3000
const region = /** @type {HTMLElement} */ (document.querySelector("#announcer"))
let waiting = ""
let busy = false

/** @param {string} sentence */
export function announce(sentence) {
  waiting = sentence
  if (!busy) speak()
}

function speak() {
  busy = Boolean(waiting)
  if (!busy) return
  region.textContent = waiting
  waiting = ""
  setTimeout(speak, PAUSE_MS)
}
