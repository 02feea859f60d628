// The messages of the open channel: pages on both sides, what was read, what is new.
import { announce } from "./announcer.js"
import { countOpen } from "./badges.js"
import { fragment, json, parsed, withJson } from "./http.js"
import { counted, text } from "./texts.js"

const MAX_MESSAGES = 300
const NEAR_END_PX = 96
const MARK_AFTER_MS = 400
const GROUPED_MS = 5 * 60 * 1000

/**
 * A message as the portal sends it.
 * @typedef {{number: number, revision: number, html: string, day: string, day_heading: string}} Drawn
 */

export class Timeline {
  /** @param {HTMLElement} conversation @param {string} me */
  constructor(conversation, me) {
    this.me = me
    this.channel = conversation.dataset.channel ?? ""
    this.marker = Number(conversation.dataset.marker)
    this.scroller = /** @type {HTMLElement} */ (conversation.querySelector("#timeline"))
    this.below = /** @type {HTMLElement} */ (conversation.querySelector(".below"))
    this.markForm = /** @type {HTMLElement} */ (conversation.querySelector(".mark-read"))
    this.newBelow = 0
    /** Called when the read marker has moved. @type {() => void} */
    this.onRead = () => {}
    this.seen = new IntersectionObserver((entries) => this.#saw(entries), {
      root: this.scroller,
      threshold: [0, 0.3, 0.6, 1],
    })
    this.edges = new IntersectionObserver((entries) => this.#reached(entries), {
      root: this.scroller,
      rootMargin: "300px",
    })
    this.#observe(this.scroller)
    this.#begin()
    this.below.querySelector("button")?.addEventListener("click", () => this.toEnd())
    this.scroller.addEventListener("scroll", () => this.#nearEnd() && this.#hideBelow())
    document.addEventListener("visibilitychange", () => this.#observe(this.scroller))
  }

  /** Whether the newest message is loaded. */
  get isAtEnd() {
    return !this.scroller.querySelector("[data-newer]")
  }

  get inner() {
    return /** @type {HTMLElement} */ (this.scroller.querySelector(".timeline-inner"))
  }

  /** @returns {HTMLElement[]} */
  get items() {
    return [...this.scroller.querySelectorAll(".message")].map((item) => /** @type {HTMLElement} */ (item))
  }

  /**
   * Take a new or changed message: in its place, or below.
   * @param {Drawn} drawn
   */
  async take(drawn) {
    const item = /** @type {HTMLElement} */ (parsed(drawn.html).querySelector(".message"))
    const old = this.scroller.querySelector(`#m${drawn.number}`)
    if (old instanceof HTMLElement) {
      const revision = Number(old.dataset.revision ?? 1)
      if (revision > drawn.revision) return
      // Shown already: an open menu or form stays open.
      if (revision === drawn.revision && isDeleted(old) === isDeleted(item)) return
      if (old.classList.contains("grouped")) item.classList.add("grouped")
      const hadFocus = old.contains(document.activeElement)
      old.replaceWith(item)
      this.#observe(item.parentElement ?? item)
      if (hadFocus) item.focus()
      return
    }
    // A change of a message that is not loaded.
    if (drawn.number < Number(this.inner.dataset.first)) return
    const own = item.dataset.author === this.me
    // One's own message may come before what others wrote a moment earlier.
    const isLate = drawn.number <= Number(this.inner.dataset.last)
    if (!isLate && !this.isAtEnd) {
      if (own) await this.#newest()
      else this.#showBelow()
      return
    }
    const wasNear = this.#nearEnd()
    this.#keepPlace(() => this.#insert(item, drawn), wasNear || own)
    if (!own && !wasNear) this.#showBelow()
    if (!own) announce(text("said", { author: authorOf(item), text: item.querySelector(".text")?.textContent ?? "" }))
  }

  /** Whether new messages are seen as they come. */
  get isWatched() {
    return document.visibilityState === "visible" && this.isAtEnd && this.#nearEnd()
  }

  /** Load anew what is looked at; what somebody edits at the moment stays as it is. */
  async reload() {
    const top = this.scroller.getBoundingClientRect().top
    const first = this.items.find((item) => item.id && item.getBoundingClientRect().bottom > top)
    if (!first || (this.isAtEnd && this.#nearEnd())) return this.#newest()
    const place = first.getBoundingClientRect().top
    await this.#replace(`/${this.channel}/${first.id.slice(1)}`)
    const moved = this.scroller.querySelector(`#${first.id}`)?.getBoundingClientRect().top ?? place
    this.scroller.scrollTop += moved - place
  }

  /** Go to the newest message. */
  async toEnd() {
    if (!this.isAtEnd) await this.#newest()
    this.scroller.scrollTop = 0
    this.#hideBelow()
  }

  /** Move the focus to the next or the previous message. @param {number} step */
  move(step) {
    const items = this.items
    const at = items.findIndex((item) => item.contains(document.activeElement))
    const next = at < 0 ? items.length - 1 : Math.min(Math.max(at + step, 0), items.length - 1)
    items[next]?.focus()
    items[next]?.scrollIntoView({ block: "nearest" })
  }

  #begin() {
    const named = this.scroller.querySelector(".target, .changing")
    const divider = this.scroller.querySelector("#unread")
    if (named) named.scrollIntoView({ block: "center" })
    else divider?.scrollIntoView({ block: "start" })
  }

  /** Put a message in the order of the numbers. @param {HTMLElement} item @param {Drawn} drawn */
  #insert(item, drawn) {
    this.scroller.querySelector(".empty")?.remove()
    const next = this.items.find((one) => Number(one.id.slice(1)) > drawn.number)
    let day = this.scroller.querySelector(`.day[data-day="${drawn.day}"]`)
    if (!day) {
      day = Object.assign(document.createElement("section"), { className: "day" })
      day.setAttribute("data-day", drawn.day)
      const heading = Object.assign(document.createElement("h2"), { className: "day-heading" })
      heading.append(Object.assign(document.createElement("span"), { textContent: drawn.day_heading }))
      const list = Object.assign(document.createElement("ol"), { className: "messages" })
      list.setAttribute("role", "list")
      day.append(heading, list)
      if (next) next.closest(".day")?.before(day)
      else this.inner.append(day)
    }
    const list = /** @type {HTMLElement} */ (day.querySelector(".messages"))
    const after = next && list.contains(next) ? next : null
    const before = after ? after.previousElementSibling : list.lastElementChild
    if (before instanceof HTMLElement && belongsTo(item, before)) {
      item.classList.add("grouped")
      item.querySelector(".avatar")?.remove()
    }
    list.insertBefore(item, after)
    if (!next) this.inner.dataset.last = String(drawn.number)
    this.#observe(list)
  }

  /** Change the content without moving what is looked at. @param {() => void} change @param {boolean} atEnd */
  #keepPlace(change, atEnd) {
    const height = this.scroller.scrollHeight
    const top = this.scroller.scrollTop
    change()
    this.scroller.scrollTop = atEnd ? 0 : top - (this.scroller.scrollHeight - height)
  }

  // The scroller is reversed: 0 is its end, and what lies above is negative.
  #nearEnd() {
    return this.scroller.scrollTop > -NEAR_END_PX
  }

  /** @param {ParentNode} part */
  #observe(part) {
    for (const item of /** @type {NodeListOf<HTMLElement>} */ (part.querySelectorAll(".message"))) {
      item.tabIndex = -1
      this.seen.unobserve(item)
      this.seen.observe(item)
    }
    for (const link of part.querySelectorAll("[data-older], [data-newer]")) this.edges.observe(link)
  }

  /** @param {IntersectionObserverEntry[]} entries */
  #saw(entries) {
    // Below a gap nobody knows what stands above: the run must join the marker.
    const joined = Number(this.inner.dataset.first) <= this.marker + 1
    if (!joined || document.visibilityState !== "visible") return
    const enough = entries.filter(
      ({ intersectionRatio, intersectionRect, rootBounds }) =>
        intersectionRatio >= 0.6 || (rootBounds && intersectionRect.height >= rootBounds.height * 0.6),
    )
    const numbers = enough.map(({ target }) => Number(target.id.slice(1)) || 0)
    const last = Math.max(0, ...numbers)
    if (last <= this.marker) return
    this.marker = last
    clearTimeout(this.timer)
    this.timer = setTimeout(() => this.#mark(), MARK_AFTER_MS)
  }

  async #mark() {
    const address = `/-/api/channels/${this.channel}/read-marker`
    try {
      await json(address, { ...withJson("PUT", { number: this.marker }), keepalive: true })
    } catch {
      return // The next message that is seen tries again.
    }
    this.onRead()
    if (!this.isAtEnd) return
    const unread = this.items.filter((item) => Number(item.id.slice(1)) > this.marker && item.dataset.author !== this.me)
    countOpen(unread)
    if (!unread.length) this.markForm.hidden = true
  }

  /** @param {IntersectionObserverEntry[]} entries */
  async #reached(entries) {
    for (const { isIntersecting, target } of entries) {
      if (!isIntersecting || !(target instanceof HTMLAnchorElement) || target.dataset.busy) continue
      target.dataset.busy = "1"
      this.scroller.setAttribute("aria-busy", "true")
      try {
        await this.#load(target)
      } catch {
        delete target.dataset.busy
      }
      this.scroller.removeAttribute("aria-busy")
    }
  }

  /** @param {HTMLAnchorElement} link */
  async #load(link) {
    const older = "older" in link.dataset
    const page = (await fragment(link.href)).querySelector(".timeline-inner")
    if (!(page instanceof HTMLElement)) return
    page.querySelectorAll(older ? "[data-newer]" : "[data-older], .beginning").forEach((one) => (one.closest("p") ?? one).remove())
    const place = link.closest("p") ?? link
    if (older) {
      this.inner.dataset.first = page.dataset.first
      place.replaceWith(...page.childNodes)
      this.#trim(false)
    } else {
      this.inner.dataset.last = page.dataset.last
      this.#keepPlace(() => place.replaceWith(...page.childNodes), false)
      this.#trim(true)
    }
    this.#joinDays()
    this.#observe(this.inner)
  }

  /** Two pages may meet within a day. */
  #joinDays() {
    let before = null
    for (const day of this.inner.querySelectorAll(".day")) {
      if (before?.getAttribute("data-day") === day.getAttribute("data-day")) {
        before?.querySelector(".messages")?.append(...(day.querySelector(".messages")?.children ?? []))
        day.remove()
      } else {
        before = day
      }
    }
  }

  /** Keep the page small; what goes is a link away. @param {boolean} atStart */
  #trim(atStart) {
    const items = this.items
    const over = items.length - MAX_MESSAGES
    if (over <= 0) return
    const gone = atStart ? items.slice(0, over) : items.slice(-over)
    const edge = atStart ? items[over] : items[items.length - over - 1]
    for (const item of gone) item.remove()
    for (const day of this.inner.querySelectorAll(".day")) if (!day.querySelector(".message")) day.remove()
    const number = edge.id.slice(1)
    const link = Object.assign(document.createElement("a"), {
      href: atStart ? `/${this.channel}?before=${number}` : `/${this.channel}?after=${number}`,
      textContent: "…",
    })
    link.setAttribute(atStart ? "data-older" : "data-newer", "")
    const place = Object.assign(document.createElement("p"), { className: "page-link" })
    place.append(link)
    this.inner.querySelector(atStart ? ".beginning" : "[data-latest]")?.closest("p")?.remove()
    if (atStart) this.inner.prepend(place)
    else this.inner.append(place)
    this.inner.dataset[atStart ? "first" : "last"] = number
  }

  async #newest() {
    await this.#replace(`/${this.channel}?latest=1`)
    this.scroller.scrollTop = 0
  }

  /** Show another page. @param {string} url */
  async #replace(url) {
    const page = await fragment(url)
    for (const item of this.items.filter((one) => one.querySelector("form"))) page.querySelector(`#${item.id}`)?.replaceWith(item)
    const unsent = [...this.inner.querySelectorAll(":scope > .message")]
    this.scroller.replaceChildren(page)
    this.inner.append(...unsent)
    this.#observe(this.scroller)
  }

  #showBelow() {
    this.newBelow += 1
    const button = this.below.querySelector("button")
    if (button) button.textContent = counted("new_below", this.newBelow)
    this.below.hidden = false
  }

  #hideBelow() {
    this.newBelow = 0
    this.below.hidden = true
  }
}

/** @param {HTMLElement} item */
function isDeleted(item) {
  return item.classList.contains("deleted")
}

/** @param {HTMLElement} item */
export function authorOf(item) {
  return item.querySelector(".byline > b")?.textContent ?? ""
}

/** @param {HTMLElement} item @param {HTMLElement} before */
function belongsTo(item, before) {
  const [now, then] = [item, before].map((one) => Date.parse(one.querySelector("time")?.dateTime ?? ""))
  return item.dataset.author === before.dataset.author && !before.classList.contains("deleted") && now - then < GROUPED_MS
}
