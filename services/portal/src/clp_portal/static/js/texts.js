// Sentences in the language of the page, and numbers with their plural.
const language = document.documentElement.lang
const { default: texts } = await import(`./texts/${language}.js`)
const rules = new Intl.PluralRules(language)
const numbers = new Intl.NumberFormat(language)

/**
 * A sentence, with its named values filled in.
 * @param {string} key
 * @param {Record<string, string>} [values]
 * @returns {string}
 */
export function text(key, values = {}) {
  return fill(texts[key], values)
}

/**
 * A sentence with a number in it.
 * @param {string} key
 * @param {number} number
 * @returns {string}
 */
export function counted(key, number) {
  const forms = texts[key]
  return fill(forms[rules.select(number)] ?? forms.other, { num: numbers.format(number) })
}

/** @param {string} sentence @param {Record<string, string>} values */
function fill(sentence, values) {
  return sentence.replace(/%\((\w+)\)s/g, (whole, name) => values[name] ?? whole)
}
