// The blue numbers of unread messages; their sum in the title, and a dot on the icon.
import { json } from "./http.js"
import { counted, text } from "./texts.js"

const MAX_SHOWN = 99
const RECOUNT_AFTER_MS = 200
const title = document.title
const icon = /** @type {HTMLLinkElement} */ (document.querySelector("link[rel=icon]"))
const plainIcon = icon.href
const numbers = new Intl.NumberFormat(document.documentElement.lang)

/** @param {HTMLElement} item a channel or a project of the page */
function badgeOf(item) {
  return /** @type {HTMLElement | null} */ (item.querySelector(".badge"))
}

/** Set the number of a channel or a project. @param {HTMLElement} item @param {number} count @param {string} url */
function set(item, count, url) {
  const badge = badgeOf(item)
  if (!count) return badge?.remove()
  const shown = badge ?? Object.assign(document.createElement("a"), { className: "badge", href: url })
  shown.dataset.count = String(count)
  shown.textContent = count > MAX_SHOWN ? `${numbers.format(MAX_SHOWN)}+` : numbers.format(count)
  const said = counted("new_messages", count)
  const project = item.querySelector(".project-title")?.textContent
  shown.setAttribute("aria-label", project ? text("in_project", { count: said, project }) : said)
  if (!badge) (item.querySelector(".project-badge") ?? item).append(shown)
}

/** Set the number of the open channel. @param {HTMLElement[]} unread its unread messages */
export function countOpen(unread) {
  const item = /** @type {HTMLElement | null} */ (document.querySelector(".channel.current"))
  if (item) set(item, unread.length, `#${unread[0]?.id}`)
  retitle()
}

/**
 * Note a message of somebody else; once, however often it comes. The page counted those
 * up to the number in `data-last`.
 * @param {{channel: string, number: number}} message
 * @param {boolean} isSeen whether it is read as it comes
 */
export function countOne({ channel, number }, isSeen) {
  for (const item of itemsOf(channel)) {
    const last = lastsOf(item)
    if (number <= (last[channel] ?? 0)) continue
    item.dataset.last = JSON.stringify({ ...last, [channel]: number })
    if (isSeen) continue
    const before = Number(badgeOf(item)?.dataset.count ?? 0)
    set(item, before + 1, `/${channel}/${number}#m${number}`)
  }
  retitle()
}

let isWaiting = false

/** Ask for the numbers anew, once for what happens together. */
export async function recountSoon() {
  if (isWaiting) return
  isWaiting = true
  await new Promise((resolve) => setTimeout(resolve, RECOUNT_AFTER_MS))
  isWaiting = false
  await recount()
}

async function recount() {
  const projects = new Set(all().map((item) => item.dataset.project ?? (item.dataset.channel ?? "").split("/")[0]))
  if (!projects.size) return
  const query = new URLSearchParams([...projects].map((project) => ["projects", project]))
  const { projects: found } = await json(`/-/api/unread?${query}`)
  for (const project of found) {
    for (const { channel, unread, first, last } of project.channels) {
      const item = all().find((one) => one.dataset.channel === channel)
      if (item) reset(item, { [channel]: last }, unread, `/${channel}/${first}#m${first}`)
    }
    const lasts = Object.fromEntries(project.channels.map((/** @type {any} */ one) => [one.channel, one.last]))
    const item = all().find((one) => one.dataset.project === project.project)
    if (item) reset(item, lasts, project.unread, `/${project.project}`)
  }
  retitle()
}

/**
 * Take a number that was counted up to some messages.
 * @param {HTMLElement} item @param {Record<string, number>} lasts @param {number} count @param {string} url
 */
function reset(item, lasts, count, url) {
  const known = lastsOf(item)
  // A message came while the others were counted.
  if (Object.entries(lasts).some(([channel, last]) => last < (known[channel] ?? 0))) return void recountSoon()
  item.dataset.last = JSON.stringify({ ...known, ...lasts })
  set(item, count, url)
}

/** The number of the last message that was counted, per channel. @param {HTMLElement} item @returns {Record<string, number>} */
function lastsOf(item) {
  return JSON.parse(item.dataset.last ?? "{}")
}

/** Write the sum of all numbers before the title, and mark the icon. */
export function retitle() {
  const sum = all().reduce((total, item) => total + Number(badgeOf(item)?.dataset.count ?? 0), 0)
  document.title = sum ? `(${numbers.format(sum)}) ${title}` : title
  icon.href = sum ? (icon.dataset.unread ?? "") : plainIcon
}

/** @returns {HTMLElement[]} */
function all() {
  return [...document.querySelectorAll("li.channel, li.project")].map((item) => /** @type {HTMLElement} */ (item))
}

/** @param {string} channel */
function itemsOf(channel) {
  const project = channel.split("/")[0]
  return all().filter((item) => item.dataset.channel === channel || item.dataset.project === project)
}
