// Live updates: one stream for a browser, however many tabs are open; and whether the
// portal can be reached, said in one place.
import { Failure, json } from "./http.js"
import { text } from "./texts.js"

const PATH = "/-/stream"
const LOOK_AFTER_MS = 5000
const place = /** @type {HTMLElement} */ (document.querySelector("#connection"))

/** Show a sentence about the connection, or nothing. @param {string} sentence */
export function show(sentence) {
  place.textContent = sentence
  place.hidden = !sentence
}

function showConnected() {
  show(navigator.onLine ? "" : text("offline"))
}

export function watchConnection() {
  addEventListener("online", showConnected)
  addEventListener("offline", showConnected)
  showConnected()
}

/**
 * What a tab hears: `message`, `gone`, `again` (something was missed: load it anew), and
 * `read` of another tab.
 * @typedef {(event: string, data: Record<string, any>) => void} Listener
 */

/**
 * Exactly what a page does not have reaches it: the stream begins after the oldest event
 * id of any tab. A tab takes nothing before a stream was opened with its own id, because
 * what comes earlier may come before something that it misses.
 */
export class Stream {
  #projects = new Set()
  // What else a connection must begin after, until an event came through it.
  #others = new Set()
  #lastId = document.body.dataset.eventId ?? ""
  #isServed = false
  #leads = false
  /** @type {EventSource | null} */
  #source = null

  /** @param {string} me @param {string} project @param {Listener} listener */
  constructor(me, project, listener) {
    // The name holds the person: after a change of person no tab hears the old stream.
    this.name = `stream-${me}`
    this.project = project
    this.listener = listener
    this.air = new BroadcastChannel(this.name)
    this.air.addEventListener("message", ({ data }) => this.#heard(data))
    if (project) this.#projects.add(project)
    this.#greet()
    navigator.locks.request(this.name, () => this.#lead())
  }

  /** Whether this tab holds the stream of the browser. */
  get leads() {
    return this.#leads
  }

  /** Tell the other tabs of the browser. @param {string} event */
  share(event) {
    this.air.postMessage({ event, data: {} })
  }

  /** Hold the lock, and with it the stream, until the tab is closed. */
  #lead() {
    this.#leads = true
    this.air.postMessage({ event: "lead" })
    this.#connect()
    return new Promise(() => {})
  }

  /** Tell whoever leads what this tab shows and has. */
  #greet() {
    this.air.postMessage({ event: "hello", data: { project: this.project, after: this.#lastId } })
  }

  // No timer before it: those of a hidden tab may wait for a minute.
  #connect() {
    this.#source?.close()
    const after = [...this.#others.add(this.#lastId)]
    const query = new URLSearchParams([...this.#projects].map((project) => ["project", project]))
    for (const id of after) if (id) query.append("after", id)
    const source = new EventSource(`${PATH}?${query}`)
    this.#source = source
    source.addEventListener("open", () => {
      showConnected()
      this.#tell("served", { after }, "")
    })
    source.addEventListener("error", () => this.#failed(source))
    for (const event of ["message", "gone", "again", "alive"]) {
      source.addEventListener(event, (/** @type {any} */ { data, lastEventId }) => {
        this.#others.clear()
        this.#tell(event, JSON.parse(data), lastEventId)
      })
    }
  }

  /** Hear an event, and hand it to the other tabs. @param {string} event @param {any} data @param {string} id */
  #tell(event, data, id) {
    this.air.postMessage({ event, data, id })
    this.#heard({ event, data, id })
  }

  /** @param {{event: string, data: any, id: string}} one */
  #heard({ event, data, id }) {
    if (event === "hello") return this.#welcome(data)
    if (event === "lead") return this.#greet()
    if (event === "served") return this.#serve(data.after)
    if (!this.#isServed) return
    if (id) this.#lastId = id
    if (event !== "alive") this.listener(event, data)
  }

  /** @param {string[]} after what the stream was opened with */
  #serve(after) {
    if (this.#isServed || !after.includes(this.#lastId)) return
    this.#isServed = true
    // The page was drawn without an event id: nobody knows what it misses.
    if (!this.#lastId) this.listener("again", {})
  }

  /** Take another tab on. @param {{project: string, after: string}} tab */
  #welcome({ project, after }) {
    if (project) this.#projects.add(project)
    if (!this.#leads) return
    this.#others.add(after)
    this.#connect()
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
    setTimeout(() => source === this.#source && this.#connect(), LOOK_AFTER_MS)
  }
}
