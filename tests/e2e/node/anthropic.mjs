// The Anthropic SDK for JavaScript.
import { at, citySchema, gather, getWeather, key, load, outcomeOf, question, root, statusOf, tell, weatherSchema, wrong } from "./tell.mjs";

const { default: Anthropic } = await load("@anthropic-ai/sdk");
const made = (apiKey) => new Anthropic({ baseURL: root, apiKey, maxRetries: 0 });
const [client, stranger] = [made(key), made(wrong)];
const said = [{ role: "user", content: question }];
const asked = (model, more) => ({ model, max_tokens: 512, messages: said, ...more });
const ask = (model, more = {}, by = client) => by.messages.create(asked(model, more));
const words = (message) => message.content.map((block) => block.text ?? "").join("");
const tool = { name: "get_weather", description: "Tell the weather of a city.", input_schema: citySchema };

async function tools(provider) {
  const first = await client.messages.stream(asked(at("calls-two", provider), { tools: [tool] })).finalMessage();
  const results = first.content
    .filter((block) => block.type === "tool_use")
    .map((block) => ({ type: "tool_result", tool_use_id: block.id, content: getWeather(block.input) }));
  const messages = [...said, { role: "assistant", content: first.content }, { role: "user", content: results.reverse() }];
  return words(await ask(at("calls-two", provider), { tools: [tool], messages }));
}

await tell({
  "anthropic-js": {
    text: async (p) => words(await ask(at("says-hello", p))),
    stream: (p) => gather(ask(at("says-hello", p), { stream: true }), (event) => event.delta?.text),
    tools,
    structured: async (p) =>
      JSON.parse(
        words(await ask(at("gives-json", p), { output_config: { format: { type: "json_schema", schema: weatherSchema } } })),
      ),
    "bad key": (p) => statusOf(() => ask(at("says-hello", p), {}, stranger)),
    "unknown model": (p) => statusOf(() => ask(at("nobody", p))),
    "rate limit": (p) => statusOf(() => ask(at("fails-429", p))),
    "broken stream": (p) => outcomeOf(() => ask(at("errs-midway", p), { stream: true })),
  },
});
