// "Who will be told", while somebody writes.
import { addressOf, json } from "./http.js"

const PAUSE_MS = 600

/** @param {HTMLFormElement} form */
export function previewAudience(form) {
  const field = /** @type {HTMLTextAreaElement} */ (form.elements.namedItem("text"))
  const place = /** @type {HTMLElement} */ (form.querySelector("[data-audience]"))
  let timer = 0
  let asked = ""
  const ask = async () => {
    const written = field.value
    // Only a mention changes whom a message reaches.
    const kind = written.includes("@") || written.includes("＠") ? written : String(Boolean(written.trim()))
    if (!written.trim()) place.textContent = ""
    if (!written.trim() || kind === asked) return
    asked = kind
    const body = new FormData()
    body.set("action", "preview")
    body.set("text", written)
    try {
      const { sentence } = await json(addressOf(form), { method: "POST", body })
      if (field.value.trim()) place.textContent = sentence
    } catch {
      asked = ""
    }
  }
  field.addEventListener("input", () => {
    clearTimeout(timer)
    if (!field.value.trim()) {
      place.textContent = ""
      asked = ""
    }
    timer = setTimeout(ask, PAUSE_MS)
  })
}
