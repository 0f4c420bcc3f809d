// The OpenAI SDK for JavaScript in one conversation: stream, tool loop, error. Prints what it found as JSON.
// Arguments: the folder of node_modules, the gateway's address, the key, the prefix of model names.
import { createRequire } from "node:module";

const [folder, root, apiKey, prefix] = process.argv.slice(2);
const { default: OpenAI } = createRequire(`${folder}/package.json`)("openai");
const client = new OpenAI({ baseURL: `${root}/v1`, apiKey, maxRetries: 0 });
const tool = {
  type: "function",
  function: { name: "get_weather", parameters: { type: "object", properties: { city: { type: "string" } } } },
};
const found = {};

const stream = client.chat.completions.stream({
  model: `${prefix}says-hello`,
  messages: [{ role: "user", content: "Hello?" }],
  stream_options: { include_usage: true },
});
const streamed = await stream.finalChatCompletion();
found.streamed = streamed.choices[0].message.content;
found.tokens = streamed.usage.completion_tokens;

const messages = [{ role: "user", content: "Weather?" }];
const first = await client.chat.completions.create({ model: `${prefix}calls-two`, messages, tools: [tool] });
messages.push(first.choices[0].message);
for (const call of first.choices[0].message.tool_calls.slice().reverse()) {
  const { city } = JSON.parse(call.function.arguments);
  messages.push({ role: "tool", tool_call_id: call.id, content: `fine in ${city}` });
}
const last = await client.chat.completions.create({ model: `${prefix}calls-two`, messages, tools: [tool] });
found.told = last.choices[0].message.content;

try {
  await client.chat.completions.create({ model: `${prefix}fails-429`, messages: [{ role: "user", content: "?" }] });
} catch (error) {
  found.error = [error.constructor.name, error.status, error.headers.get("retry-after")];
}
found.models = (await client.models.list()).data.length > 0;
console.log(JSON.stringify(found));
