// node provider.mjs FOLDER PORT PORTAL: the certified provider for one portal, on loopback.
// Whoever signs in is the person of that name; there is no password.
import { createRequire } from "node:module"

const [folder, port, portal] = process.argv.slice(2)
const { default: Provider } = await import(createRequire(`${folder}/`).resolve("oidc-provider"))
const issuer = `http://127.0.0.1:${port}`

const provider = new Provider(issuer, {
  clients: [
    {
      client_id: "clp-portal",
      token_endpoint_auth_method: "none",
      redirect_uris: [`${portal}/-/sign-in/callback`],
      post_logout_redirect_uris: [`${portal}/-/signed-out`],
      backchannel_logout_uri: `${portal}/-/sign-out/by-provider`,
      backchannel_logout_session_required: true,
    },
  ],
  cookies: { keys: ["tests only"] },
  features: {
    backchannelLogout: { enabled: true },
    devInteractions: { enabled: true },
    rpInitiatedLogout: { enabled: true },
  },
  // Its own dispatcher refuses loopback, where the portal of a test is.
  fetch: (url, { dispatcher, ...options }) => globalThis.fetch(url, options),
  findAccount: (_context, id) => ({ accountId: id, claims: () => ({ sub: id }) }),
  pkce: { required: () => true },
})
for (const event of ["server_error", "backchannel.error"]) {
  provider.on(event, (...given) => console.error(event, ...given))
}
provider.listen(Number(port), "127.0.0.1", () => console.log("ready"))
