// The OpenAI SDK for JavaScript: chat completions and responses.
import { at, citySchema, gather, getWeather, key, load, outcomeOf, question, root, statusOf, tell, weatherSchema, wrong } from "./tell.mjs";

const { default: OpenAI } = await load("openai");
const made = (apiKey) => new OpenAI({ baseURL: `${root}/v1`, apiKey, maxRetries: 0 });
const [client, stranger] = [made(key), made(wrong)];
const tool = { name: "get_weather", description: "Tell the weather of a city.", parameters: citySchema, strict: true };
const said = [{ role: "user", content: question }];
const ask = (model, more = {}, by = client) => by.chat.completions.create({ model, messages: said, ...more });
const respond = (model, more = {}, by = client) => by.responses.create({ model, input: question, ...more });

async function tools(provider) {
  const asked = { tools: [{ type: "function", function: tool }] };
  const first = (await ask(at("calls-two", provider), asked)).choices[0].message;
  const results = first.tool_calls.map((call) => ({
    role: "tool",
    tool_call_id: call.id,
    content: getWeather(JSON.parse(call.function.arguments)),
  }));
  const messages = [...said, first, ...results.reverse()];
  return (await ask(at("calls-two", provider), { ...asked, messages })).choices[0].message.content;
}

async function responseTools(provider) {
  const asked = { tools: [{ type: "function", ...tool }], store: false, include: ["reasoning.encrypted_content"] };
  const first = await client.responses.stream({ model: at("calls-two", provider), input: question, ...asked }).finalResponse();
  const results = first.output
    .filter((item) => item.type === "function_call")
    .map((item) => ({
      type: "function_call_output",
      call_id: item.call_id,
      output: getWeather(JSON.parse(item.arguments)),
    }));
  const output = first.output.map(({ parsed_arguments, ...item }) => ({
    ...item,
    ...(item.content ? { content: item.content.map(({ parsed, ...part }) => part) } : {}),
  }));
  const input = [{ role: "user", content: question }, ...output, ...results];
  return (await respond(at("calls-two", provider), { ...asked, input })).output_text;
}

const form = { name: "weather", schema: weatherSchema, strict: true };
await tell({
  "openai-js chat": {
    text: async (p) => (await ask(at("says-hello", p))).choices[0].message.content,
    stream: (p) => gather(ask(at("says-hello", p), { stream: true }), (piece) => piece.choices[0]?.delta.content),
    tools,
    structured: async (p) =>
      JSON.parse(
        (await ask(at("gives-json", p), { response_format: { type: "json_schema", json_schema: form } })).choices[0]
          .message.content,
      ),
    "bad key": (p) => statusOf(() => ask(at("says-hello", p), {}, stranger)),
    "unknown model": (p) => statusOf(() => ask(at("nobody", p))),
    "rate limit": (p) => statusOf(() => ask(at("fails-429", p))),
    "broken stream": (p) => outcomeOf(() => ask(at("errs-midway", p), { stream: true })),
  },
  "openai-js responses": {
    text: async (p) => (await respond(at("says-hello", p))).output_text,
    stream: async (p) =>
      (await client.responses.stream({ model: at("says-hello", p), input: question }).finalResponse()).output_text,
    tools: responseTools,
    structured: async (p) =>
      JSON.parse((await respond(at("gives-json", p), { text: { format: { type: "json_schema", ...form } } })).output_text),
    "bad key": (p) => statusOf(() => respond(at("says-hello", p), {}, stranger)),
    "unknown model": (p) => statusOf(() => respond(at("nobody", p))),
    "rate limit": (p) => statusOf(() => respond(at("fails-429", p))),
  },
});
