// The blue numbers of unread messages, and their sum in the title.
import { json } from "./http.js"
import { counted, text } from "./texts.js"

const MAX_SHOWN = 99
const title = document.title
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

/** Count one more message. @param {{channel: string, number: number}} message */
export function countOne({ channel, number }) {
  for (const item of itemsOf(channel)) {
    const before = Number(badgeOf(item)?.dataset.count ?? 0)
    set(item, before + 1, `/${channel}/${number}#m${number}`)
  }
  retitle()
}

/** Ask for the numbers anew. */
export async function recount() {
  const projects = new Set(all().map((item) => item.dataset.project ?? (item.dataset.channel ?? "").split("/")[0]))
  if (!projects.size) return
  const query = new URLSearchParams([...projects].map((project) => ["projects", project]))
  const { projects: found } = await json(`/-/api/unread?${query}`)
  for (const project of found) {
    for (const { channel, unread, first } of project.channels) {
      for (const item of all()) {
        if (item.dataset.channel === channel) set(item, unread, `/${channel}/${first}#m${first}`)
      }
    }
    for (const item of all()) if (item.dataset.project === project.project) set(item, project.unread, `/${project.project}`)
  }
  retitle()
}

/** Write the sum of all numbers before the title. */
function retitle() {
  const sum = all().reduce((total, item) => total + Number(badgeOf(item)?.dataset.count ?? 0), 0)
  document.title = sum ? `(${numbers.format(sum)}) ${title}` : title
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
