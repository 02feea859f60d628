// Whether the portal can be reached, said in one place.
import { text } from "./texts.js"

const place = /** @type {HTMLElement} */ (document.querySelector("#connection"))

/** Show a sentence, or nothing. @param {string} sentence */
export function show(sentence) {
  place.textContent = sentence
  place.hidden = !sentence
}

export function watchConnection() {
  const look = () => show(navigator.onLine ? "" : text("offline"))
  addEventListener("online", look)
  addEventListener("offline", look)
  look()
}
