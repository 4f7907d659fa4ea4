// Drives an admin API with @ory/kratos-client, unchanged. Each step prints one
// line, "ok NAME" or "not ok NAME: WHY"; the Go test makes a test of each.
//
//   node admin.mjs ADMIN_URL PUBLIC_URL
import assert from "node:assert/strict"
import { Configuration, CourierApi, FrontendApi, IdentityApi, MetadataApi } from "@ory/kratos-client"

const [admin, open] = process.argv.slice(2)
const configuration = new Configuration({ basePath: admin })
const identities = new IdentityApi(configuration)
const courier = new CourierApi(configuration)
const metadata = new MetadataApi(configuration)
const frontend = new FrontendApi(new Configuration({ basePath: open }))
const password = "correct horse battery staple"

const steps = []
const step = (name, run) => steps.push([name, run])
const refused = async (status, promise) => {
  const error = await promise.then(() => assert.fail("it is not refused"), (e) => e)
  assert.equal(error.response?.status, status, String(error))
  return error.response.data.error
}
const nextToken = (response) => {
  const next = (response.headers.link ?? "").match(/<([^>]*)>; rel="next"/)
  return next && new URL(next[1], admin).searchParams.get("page_token")
}
let ann, session

step("create", async () => {
  const { status, data } = await identities.createIdentity({
    createIdentityBody: {
      schema_id: "person", traits: { email: "ann@example.org" }, external_id: "customer-1",
      metadata_admin: { note: "vip" }, metadata_public: { plan: "gold" },
      credentials: { password: { config: { password } }, totp: { config: { totp_url: "otpauth://totp/x:ann?secret=JBSWY3DPEHPK3PXP" } } },
      verifiable_addresses: [{ value: "ann@example.org", verified: true, via: "email", status: "completed" }],
    },
  })
  assert.equal(status, 201)
  assert.equal(data.verifiable_addresses[0].verified, true)
  assert.deepEqual(data.metadata_admin, { note: "vip" })
  ann = data.id
})

step("create twice", async () => {
  const error = await refused(409, identities.createIdentity({ createIdentityBody: { schema_id: "person", traits: { email: "ann@example.org" } } }))
  assert.equal(error.code, 409)
  assert.ok(error.reason)
})

step("get", async () => {
  const { data } = await identities.getIdentity({ id: ann, includeCredential: ["password", "totp"] })
  assert.ok(data.credentials.password.config.hashed_password)
  assert.ok(data.credentials.totp.config.totp_url)
  assert.equal((await identities.getIdentityByExternalID({ externalID: "customer-1" })).data.id, ann)
  assert.equal((await refused(404, identities.getIdentity({ id: "00000000-0000-4000-8000-000000000001" }))).status, "Not Found")
})

step("patch", async () => {
  const { data } = await identities.patchIdentity({ id: ann, jsonPatch: [{ op: "replace", path: "/metadata_admin/note", value: "staff" }] })
  assert.deepEqual(data.metadata_admin, { note: "staff" })
})

step("update", async () => {
  const { data } = await identities.updateIdentity({
    id: ann, updateIdentityBody: { schema_id: "person", traits: { email: "anna@example.org" }, state: "active" },
  })
  assert.equal(data.traits.email, "anna@example.org")
  assert.equal(data.external_id, undefined)
})

step("batch", async () => {
  const { data } = await identities.batchPatchIdentities({
    patchIdentitiesBody: {
      identities: ["n0", "n1", "n2", "n0"].map((name) => ({ create: { schema_id: "person", traits: { email: name + "@example.org" } } })),
    },
  })
  assert.deepEqual(data.identities.map((one) => one.action), ["create", "create", "create", "error"])
})

step("list", async () => {
  const seen = []
  let pageToken
  do {
    const response = await identities.listIdentities({ pageSize: 3, pageToken })
    seen.push(...response.data.map((one) => one.id))
    pageToken = nextToken(response)
  } while (pageToken)
  assert.equal(new Set(seen).size, 4)
  assert.deepEqual((await identities.listIdentities({ ids: [ann] })).data.map((one) => one.id), [ann])
  assert.deepEqual((await identities.listIdentities({ credentialsIdentifier: "ANNA@example.org" })).data.map((one) => one.id), [ann])
  const numbered = await identities.listIdentities({ page: 1, perPage: 3 })
  assert.equal(numbered.data.length, 1)
  assert.equal(numbered.headers["x-total-count"], "4")
})

step("sessions", async () => {
  for (let n = 0; n < 2; n++) {
    const { data: flow } = await frontend.createNativeLoginFlow()
    const { data } = await frontend.updateLoginFlow({
      flow: flow.id, updateLoginFlowBody: { method: "password", identifier: "anna@example.org", password },
    })
    session = data.session.id
  }
  const { data: all } = await identities.listSessions({ active: true, expand: ["identity", "devices"] })
  assert.deepEqual(all.map((one) => one.identity.id), [ann, ann])
  assert.equal(all[0].devices.length, 1)
  assert.equal((await identities.listIdentitySessions({ id: ann })).data.length, 2)
  assert.equal((await identities.getSession({ id: session, expand: ["identity"] })).data.active, true)
  assert.equal((await identities.extendSession({ id: session })).status, 200)
  assert.equal((await identities.disableSession({ id: session })).status, 204)
  assert.equal((await identities.getSession({ id: session })).data.active, false)
  assert.equal((await identities.deleteIdentitySessions({ id: ann })).status, 204)
})

step("recovery", async () => {
  const code = await identities.createRecoveryCodeForIdentity({ createRecoveryCodeForIdentityBody: { identity_id: ann, expires_in: "1h" } })
  assert.equal(code.status, 201)
  assert.match(code.data.recovery_code, /^\d{6}$/)
  const link = await identities.createRecoveryLinkForIdentity({ createRecoveryLinkForIdentityBody: { identity_id: ann } })
  assert.ok(link.data.recovery_link.startsWith(open))
})

step("courier", async () => {
  const { data: flow } = await frontend.createNativeRecoveryFlow()
  await frontend.updateRecoveryFlow({ flow: flow.id, updateRecoveryFlowBody: { method: "code", email: "anna@example.org" } })
  const { data: list } = await courier.listCourierMessages({ recipient: "anna@example.org" })
  assert.equal(list.length, 1)
  assert.equal((await courier.getCourierMessage({ id: list[0].id })).data.recipient, "anna@example.org")
})

step("metadata", async () => {
  assert.ok((await metadata.getVersion()).data.version)
  assert.equal((await metadata.isAlive()).data.status, "ok")
  assert.equal((await metadata.isReady()).data.status, "ok")
})

step("delete", async () => {
  assert.equal((await identities.deleteIdentityCredentials({ id: ann, type: "totp" })).status, 204)
  assert.equal((await identities.deleteIdentity({ id: ann })).status, 204)
  await refused(404, identities.getIdentity({ id: ann }))
})

for (const [name, run] of steps) {
  try {
    await run()
    console.log("ok " + name)
  } catch (error) {
    console.log("not ok " + name + ": " + String(error.response ? error + " " + JSON.stringify(error.response.data) : error).replace(/\s+/g, " "))
  }
}
console.log("done")
