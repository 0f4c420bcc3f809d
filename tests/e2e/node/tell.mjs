// What the scripts of JavaScript clients share: whom they talk to, and how they tell what they found.
// Arguments: the folder of node_modules, the gateway's address, the key, and the providers behind it.
import { createRequire } from "node:module";
import { pathToFileURL } from "node:url";

export const [folder, root, key, ...providers] = process.argv.slice(2);
export const wrong = "sk-nobody-0123456789";
export const question = "What is the weather in Paris and Oslo?";
export const at = (script, provider) => `${script}-on-${provider}`;
export const getWeather = ({ city }) => `fine in ${city}`;
export const citySchema = {
  type: "object",
  properties: { city: { type: "string", description: "Which city." } },
  required: ["city"],
  additionalProperties: false,
};
export const weatherSchema = {
  type: "object",
  properties: { city: { type: "string" }, degrees: { type: "integer" } },
  required: ["city", "degrees"],
  additionalProperties: false,
};

const resolve = createRequire(`${folder}/package.json`).resolve;
export const load = (name) => import(pathToFileURL(resolve(name)));

/** The status that the client found in the error, wherever it keeps it. */
export async function statusOf(ask) {
  try {
    await ask();
  } catch (error) {
    for (let found = error; found; found = found.cause ?? found.lastError)
      for (const name of ["status", "statusCode", "status_code"])
        if (typeof found[name] === "number") return found[name];
    return `${error.constructor.name}: ${error.message}`;
  }
  return "nothing was raised";
}

/** How a stream ends for its reader. */
export async function outcomeOf(open) {
  try {
    for await (const _ of await open());
  } catch {
    return "raised";
  }
  return "ended";
}

export async function gather(pieces, text) {
  let told = "";
  for await (const piece of await pieces) told += text(piece) ?? "";
  return told;
}

export async function tell(clients) {
  const found = {};
  for (const [client, scenarios] of Object.entries(clients)) {
    found[client] = {};
    for (const provider of providers) {
      found[client][provider] = {};
      for (const [name, scenario] of Object.entries(scenarios)) {
        let told;
        try {
          told = await scenario(provider);
        } catch (error) {
          told = `${error.constructor.name}: ${error.message}`.slice(0, 2000);
        }
        found[client][provider][name] = told ?? null;
      }
    }
  }
  console.log(JSON.stringify(found));
  process.exit(0);
}
