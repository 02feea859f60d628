// Files: by button, drop and paste; progress, and a refusal for each file that is not taken.
import { announce } from "./announcer.js"
import { text } from "./texts.js"

export class Uploads {
  /** @param {HTMLElement} conversation @param {HTMLFormElement} form @param {string} channel */
  constructor(conversation, form, channel) {
    this.channel = channel
    /** @type {Set<{value: string, request: XMLHttpRequest}>} */
    this.files = new Set()
    this.list = /** @type {HTMLElement} */ (form.querySelector("[data-uploads]"))
    const input = /** @type {HTMLInputElement} */ (form.querySelector("[data-files]"))
    input.addEventListener("change", () => {
      this.#take(input.files)
      input.value = ""
    })
    form.addEventListener("paste", (event) => {
      if (!event.clipboardData?.files.length) return
      event.preventDefault()
      this.#take(event.clipboardData.files)
    })
    conversation.addEventListener("dragover", (event) => {
      if (!event.dataTransfer?.types.includes("Files")) return
      event.preventDefault()
      form.classList.add("dropping")
    })
    for (const kind of ["dragleave", "drop"]) conversation.addEventListener(kind, () => form.classList.remove("dropping"))
    conversation.addEventListener("drop", (event) => {
      if (!event.dataTransfer?.files.length) return
      event.preventDefault()
      this.#take(event.dataTransfer.files)
    })
  }

  /** Whether a file is still on its way. */
  get isBusy() {
    return [...this.files].some((file) => !file.value)
  }

  /** What the form posts for each uploaded file. */
  get values() {
    return [...this.files].map((file) => file.value).filter(Boolean)
  }

  clear() {
    this.files.clear()
    this.list.replaceChildren()
    this.list.hidden = true
  }

  /** @param {FileList | null} files */
  #take(files) {
    for (const file of files ?? []) this.#upload(file)
  }

  /** @param {File} file */
  #upload(file) {
    const item = Object.assign(document.createElement("li"), { className: "upload" })
    const name = Object.assign(document.createElement("span"), { className: "upload-name", textContent: file.name })
    const bar = Object.assign(document.createElement("progress"), { max: 1, value: 0 })
    bar.setAttribute("aria-label", text("uploading", { name: file.name }))
    const remove = Object.assign(document.createElement("button"), { type: "button", className: "quiet", textContent: "×" })
    remove.setAttribute("aria-label", text("remove", { name: file.name }))
    item.append(name, bar, remove)
    this.list.append(item)
    this.list.hidden = false
    const request = new XMLHttpRequest()
    const entry = { value: "", request }
    this.files.add(entry)
    remove.addEventListener("click", () => {
      request.abort()
      this.files.delete(entry)
      item.remove()
      this.list.hidden = !this.list.children.length
    })
    const refuse = (/** @type {string} */ sentence) => {
      this.files.delete(entry)
      item.classList.add("refused")
      bar.replaceWith(sentence)
      announce(`${file.name}: ${sentence}`)
    }
    request.upload.onprogress = ({ loaded, total }) => {
      bar.value = loaded / total
    }
    request.onload = () => {
      const body = bodyOf(request)
      if (request.status !== 201 || !body) return refuse(body?.title ?? text("upload_failed"))
      entry.value = `${body.id} ${body.size} ${body.name}`
      bar.remove()
      announce(text("uploaded", { name: file.name }))
    }
    request.onerror = () => refuse(text("upload_failed"))
    request.open("POST", `/-/api/channels/${this.channel}/attachments?name=${encodeURIComponent(file.name)}`)
    request.setRequestHeader("Accept", "application/json")
    request.setRequestHeader("Content-Type", "application/octet-stream")
    request.send(file)
  }
}

/** The JSON of a response; nothing when something before the portal answered. @param {XMLHttpRequest} request */
function bodyOf(request) {
  try {
    return JSON.parse(request.responseText)
  } catch {
    return null
  }
}
