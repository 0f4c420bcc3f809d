// The Ollama SDK for JavaScript.
import { at, citySchema, gather, getWeather, key, load, outcomeOf, question, root, statusOf, tell, weatherSchema, wrong } from "./tell.mjs";

const { Ollama } = await load("ollama");
const made = (apiKey) => new Ollama({ host: root, headers: { authorization: `Bearer ${apiKey}` } });
const [client, stranger] = [made(key), made(wrong)];
const said = [{ role: "user", content: question }];
const ask = (model, more = {}, by = client) => by.chat({ model, messages: said, ...more });
const tool = {
  type: "function",
  function: { name: "get_weather", description: "Tell the weather of a city.", parameters: citySchema },
};

async function tools(provider) {
  const first = (await ask(at("calls-two", provider), { tools: [tool] })).message;
  const results = first.tool_calls.map(({ function: { name, arguments: asked } }) => ({
    role: "tool",
    tool_name: name,
    content: getWeather(asked),
  }));
  return (await ask(at("calls-two", provider), { tools: [tool], messages: [...said, first, ...results] })).message.content;
}

await tell({
  "ollama-js": {
    text: async (p) => (await ask(at("says-hello", p))).message.content,
    stream: (p) => gather(ask(at("says-hello", p), { stream: true }), (piece) => piece.message.content),
    tools,
    structured: async (p) => JSON.parse((await ask(at("gives-json", p), { format: weatherSchema })).message.content),
    "bad key": (p) => statusOf(() => ask(at("says-hello", p), {}, stranger)),
    "unknown model": (p) => statusOf(() => ask(at("nobody", p))),
    "rate limit": (p) => statusOf(() => ask(at("fails-429", p))),
    "broken stream": (p) => outcomeOf(() => ask(at("errs-midway", p), { stream: true })),
  },
});
