// The Anthropic SDK for JavaScript in one conversation: stream, thoughtful tool loop, error. Prints what it found as JSON.
// Arguments: the folder of node_modules, the gateway's address, the key, the prefix of model names.
import { createRequire } from "node:module";

const [folder, baseURL, apiKey, prefix] = process.argv.slice(2);
const { default: Anthropic } = createRequire(`${folder}/package.json`)("@anthropic-ai/sdk");
const client = new Anthropic({ baseURL, apiKey, maxRetries: 0 });
const tools = [
  { name: "get_weather", input_schema: { type: "object", properties: { city: { type: "string" } } } },
];
const found = {};

const stream = client.messages.stream({
  model: `${prefix}says-hello`,
  max_tokens: 64,
  messages: [{ role: "user", content: "Hello?" }],
});
const streamed = await stream.finalMessage();
found.streamed = streamed.content[0].text;
found.tokens = streamed.usage.output_tokens;

const asked = { model: `${prefix}thinks`, max_tokens: 4096, tools, thinking: { type: "enabled", budget_tokens: 2048 } };
const messages = [{ role: "user", content: "Think." }];
const first = await client.messages.stream({ ...asked, messages }).finalMessage();
found.blocks = first.content.map((block) => block.type);
messages.push({ role: "assistant", content: first.content });
const call = first.content.find((block) => block.type === "tool_use");
messages.push({ role: "user", content: [{ type: "tool_result", tool_use_id: call.id, content: "sunny" }] });
const last = await client.messages.create({ ...asked, messages });
found.told = last.content.at(-1).text;

try {
  await client.messages.create({
    model: `${prefix}fails-429`,
    max_tokens: 64,
    messages: [{ role: "user", content: "?" }],
  });
} catch (error) {
  found.error = [error.constructor.name, error.status, error.headers.get("retry-after")];
}
found.models = (await client.models.list()).data.length > 0;
console.log(JSON.stringify(found));
