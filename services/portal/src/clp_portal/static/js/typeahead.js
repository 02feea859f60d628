// Names while somebody types a mention. A textarea may not be a combobox: the list is
// controlled by it, the active option is named, and the number of people is said.
import { announce } from "./announcer.js"
import { json } from "./http.js"
import { counted, text } from "./texts.js"

const PAUSE_MS = 150
const MAX_TYPED = 60
const MAX_SHOWN = 8
// Of fewer people than this the page has all, and narrows them by itself.
const LIMIT = 20
const LETTER = /[\p{L}\p{N}]/u
const UNSPACED = /[\p{scx=Han}\p{scx=Hira}\p{scx=Kana}\p{scx=Hang}\p{scx=Thai}]/u
// Where a handle opens (rule 14), as far as a person who types is concerned.
const HANDLE = /(?:^|[^A-Za-z\d_@＠#!$%&\\])[@＠]([^\n@＠]*)$/u

/** @typedef {{id: string, name: string, email: string}} Candidate */

export class Typeahead {
  /** The last answer, as long as the mention is being typed. @type {{typed: string, people: Candidate[]} | null} */
  #known = null

  /** @param {HTMLTextAreaElement} field @param {HTMLFormElement} form @param {string} channel */
  constructor(field, form, channel) {
    this.field = field
    this.channel = channel
    /** What follows the sign of the mention that is being typed. @type {string | null} */
    this.typed = null
    this.list = Object.assign(document.createElement("ul"), { id: "people", className: "people-list", hidden: true })
    this.list.setAttribute("role", "listbox")
    this.list.setAttribute("aria-label", text("people"))
    form.append(this.list)
    field.setAttribute("aria-controls", this.list.id)
    field.setAttribute("aria-autocomplete", "list")
    field.addEventListener("input", () => this.#typed())
    field.addEventListener("keydown", (event) => this.#pressed(event))
    field.addEventListener("blur", () => this.#close())
  }

  #typed() {
    clearTimeout(this.timer)
    const open = this.field.value.slice(0, this.field.selectionStart).match(HANDLE)
    if (!open || open[1].length > MAX_TYPED) return this.#close()
    this.typed = open[1]
    if (!this.#narrow(open[1])) this.timer = setTimeout(() => this.#ask(open[1]), PAUSE_MS)
  }

  /** Show who still fits of the last answer; return whether nobody else can. @param {string} typed */
  #narrow(typed) {
    const known = this.#known
    if (!known || !typed.startsWith(known.typed)) {
      this.#show([])
      return false
    }
    const found = known.people.filter((person) => typed === known.typed || fits(person, folded(typed)))
    this.#show(found)
    return known.people.length < LIMIT && (found.length > 0 || !known.people.length)
  }

  /** @param {string} typed */
  async #ask(typed) {
    const query = new URLSearchParams({ typed, limit: String(LIMIT) })
    let people
    try {
      people = (await json(`/-/api/channels/${this.channel}/mentionable?${query}`)).people
    } catch {
      return this.#close()
    }
    if (!this.typed?.startsWith(typed) || document.activeElement !== this.field) return
    this.#known = { typed, people }
    if (this.#narrow(this.typed)) clearTimeout(this.timer)
  }

  /** @param {Candidate[]} found */
  #show(found) {
    const people = found.slice(0, MAX_SHOWN)
    this.list.replaceChildren(
      ...people.map((person, number) => {
        const option = Object.assign(document.createElement("li"), { id: `person-${number}` })
        option.setAttribute("role", "option")
        option.dataset.name = person.name
        const name = Object.assign(document.createElement("bdi"), { textContent: person.name })
        option.append(name, Object.assign(document.createElement("small"), { textContent: person.email }))
        option.addEventListener("pointerdown", (event) => {
          event.preventDefault()
          this.#choose(option)
        })
        return option
      }),
    )
    this.list.hidden = !people.length
    if (!people.length) return this.field.removeAttribute("aria-activedescendant")
    this.#activate(0)
    announce(counted("people_found", people.length))
  }

  /** @param {number} number */
  #activate(number) {
    const options = [...this.list.children]
    const active = options[(number + options.length) % options.length]
    for (const option of options) option.setAttribute("aria-selected", String(option === active))
    active.scrollIntoView({ block: "nearest" })
    this.field.setAttribute("aria-activedescendant", active.id)
  }

  /** @param {KeyboardEvent} event */
  #pressed(event) {
    if (this.list.hidden || event.isComposing) return
    const options = [...this.list.children]
    const at = options.findIndex((option) => option.ariaSelected === "true")
    const steps = { ArrowDown: at + 1, ArrowUp: at - 1 }
    if (event.key in steps) this.#activate(steps[/** @type {keyof typeof steps} */ (event.key)])
    else if (event.key === "Enter" || event.key === "Tab") this.#choose(/** @type {HTMLElement} */ (options[at]))
    else if (event.key === "Escape") this.#close()
    else return
    event.preventDefault()
  }

  /** @param {HTMLElement} option */
  #choose(option) {
    const end = this.field.selectionStart
    this.field.setRangeText(`${option.dataset.name} `, end - (this.typed ?? "").length, end, "end")
    this.#close()
    this.field.dispatchEvent(new Event("input"))
  }

  #close() {
    clearTimeout(this.timer)
    this.typed = null
    this.#known = null
    this.list.hidden = true
    this.field.removeAttribute("aria-activedescendant")
  }
}

/** Without accents and capitals, as the portal compares. @param {string} given */
function folded(given) {
  return given.normalize("NFKD").replace(/\p{M}/gu, "").toLowerCase()
}

/** Whether a word of the name, or the address, begins so. @param {Candidate} person @param {string} wanted */
function fits({ name, email }, wanted) {
  if (folded(email).startsWith(wanted)) return true
  const letters = folded(name)
  for (let at = letters.indexOf(wanted); at >= 0; at = letters.indexOf(wanted, at + 1)) {
    const before = letters[at - 1] ?? " "
    if (!LETTER.test(before) || UNSPACED.test(before) || UNSPACED.test(letters[at])) return true
  }
  return false
}
