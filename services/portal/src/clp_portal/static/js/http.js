// Requests to the portal: a problem (RFC 9457) or a lost connection becomes a Failure.
import { text } from "./texts.js"

/** A request that did not do what it was for; `message` is for people. */
export class Failure extends Error {
  /** @param {string} message @param {number} status 0 when nobody answered */
  constructor(message, status) {
    super(message)
    this.status = status
  }

  /** Whether the same request may succeed later: nobody answered, or not now. */
  get mayPass() {
    return this.status < 400 || this.status >= 500 || [401, 408, 409, 429].includes(this.status)
  }
}

/**
 * Send a request and read the JSON of the response.
 * @param {string} url
 * @param {RequestInit} [options]
 * @returns {Promise<any>}
 */
export async function json(url, options = {}) {
  const response = await send(url, { Accept: "application/json" }, options)
  return response.status === 204 ? null : response.json()
}

/**
 * Fetch a part of a page.
 * @param {string} url
 * @returns {Promise<DocumentFragment>}
 */
export async function fragment(url) {
  const address = new URL(url, location.href)
  address.searchParams.set("fragment", "1")
  const response = await send(address.href, { Accept: "text/html" }, {})
  return parsed(await response.text())
}

/**
 * The address of a form; its property `action` may be a button of that name.
 * @param {HTMLFormElement} form
 */
export function addressOf(form) {
  return form.getAttribute("action") ?? location.pathname
}

/** @param {string} html @returns {DocumentFragment} */
export function parsed(html) {
  const template = document.createElement("template")
  template.innerHTML = html
  return template.content
}

/**
 * Options of a request with a JSON body.
 * @param {string} method
 * @param {unknown} body
 * @returns {RequestInit}
 */
export function withJson(method, body) {
  return {
    method,
    headers: { "Content-Type": "application/json" },
    body: JSON.stringify(body),
  }
}

/** @param {string} url @param {Record<string, string>} headers @param {RequestInit} options */
async function send(url, headers, options) {
  let response
  try {
    response = await fetch(url, {
      ...options,
      headers: { ...headers, ...options.headers },
      redirect: "error",
    })
  } catch {
    throw new Failure(text("unreachable"), 0)
  }
  if (response.ok) return response
  throw new Failure(await titleOf(response), response.status)
}

/** @param {Response} response */
async function titleOf(response) {
  if (response.status === 401) return text("session_over")
  try {
    return (await response.json()).title
  } catch {
    return text("failed")
  }
}
