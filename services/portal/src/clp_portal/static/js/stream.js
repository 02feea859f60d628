// Live updates: one stream for a browser, however many tabs are open.
import { show } from "./connection.js"
import { Failure, json } from "./http.js"
import { text } from "./texts.js"

const PATH = "/-/stream"
const LOOK_AFTER_MS = 5000

/**
 * What a tab hears: `open` (the stream began), `message`, `gone`, `again`.
 * @typedef {(event: string, data: Record<string, any>) => void} Listener
 */

export class Stream {
  #projects = new Set()
  #lastId = ""
  /** @type {EventSource | null} */
  #source = null

  /** @param {string} me @param {string} project @param {Listener} listener */
  constructor(me, project, listener) {
    // The name holds the person: after a change of person no tab hears the old stream.
    this.name = `stream-${me}`
    this.listener = listener
    this.air = new BroadcastChannel(this.name)
    this.air.addEventListener("message", ({ data }) => this.#heard(data))
    if (project) this.#projects.add(project)
    this.air.postMessage({ event: "hello", data: { project } })
    navigator.locks.request(this.name, () => this.#lead())
  }

  /** Hold the lock, and with it the stream, until the tab is closed. */
  #lead() {
    this.#connect()
    return new Promise(() => {})
  }

  #connect() {
    this.#source?.close()
    const query = new URLSearchParams([...this.#projects].map((project) => ["project", project]))
    if (this.#lastId) query.set("after", this.#lastId)
    const source = new EventSource(`${PATH}?${query}`)
    this.#source = source
    const resumes = Boolean(this.#lastId)
    let isFirst = true
    source.addEventListener("open", () => {
      show("")
      if (isFirst && !resumes) this.#tell("open", {}, "")
      isFirst = false
    })
    source.addEventListener("error", () => this.#failed(source))
    for (const event of ["message", "gone", "again"]) {
      source.addEventListener(event, (/** @type {any} */ { data, lastEventId }) =>
        this.#tell(event, JSON.parse(data), lastEventId),
      )
    }
  }

  /** Hear an event, and hand it to the other tabs. @param {string} event @param {any} data @param {string} id */
  #tell(event, data, id) {
    this.air.postMessage({ event, data, id })
    this.#heard({ event, data, id })
  }

  /** @param {{event: string, data: any, id: string}} one */
  #heard({ event, data, id }) {
    if (id) this.#lastId = id
    if (event !== "hello") return this.listener(event, data)
    if (!this.#source) return
    if (data.project && !this.#projects.has(data.project)) {
      this.#projects.add(data.project)
      this.#connect()
    }
    // What was said while the other tab was drawn is known here only.
    this.air.postMessage({ event: "open", data: {} })
  }

  /** The browser reconnects by itself, unless the portal refused. @param {EventSource} source */
  async #failed(source) {
    show(text(navigator.onLine ? "away" : "offline"))
    if (source.readyState !== EventSource.CLOSED) return
    try {
      await json("/-/api/me")
    } catch (failure) {
      if (failure instanceof Failure && [401, 403].includes(failure.status)) return show(failure.message)
    }
    setTimeout(() => this.#connect(), LOOK_AFTER_MS)
  }
}
