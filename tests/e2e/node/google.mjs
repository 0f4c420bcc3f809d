// The Google Gen AI SDK for JavaScript.
import { at, citySchema, gather, getWeather, key, load, outcomeOf, question, root, statusOf, tell, weatherSchema, wrong } from "./tell.mjs";

const { GoogleGenAI } = await load("@google/genai");
const made = (apiKey) => new GoogleGenAI({ apiKey, httpOptions: { baseUrl: root } });
const [client, stranger] = [made(key), made(wrong)];
const ask = (model, more = {}, by = client) => by.models.generateContent({ model, contents: question, ...more });
const heard = (model) => client.models.generateContentStream({ model, contents: question });
const declared = { name: "get_weather", description: "Tell the weather of a city.", parametersJsonSchema: citySchema };

async function tools(provider) {
  const config = { tools: [{ functionDeclarations: [declared] }] };
  const first = await ask(at("calls-two", provider), { config });
  const parts = first.functionCalls.map(({ id, name, args }) => ({
    functionResponse: { id, name, response: { output: getWeather(args) } },
  }));
  const contents = [
    { role: "user", parts: [{ text: question }] },
    first.candidates[0].content,
    { role: "user", parts },
  ];
  return (await ask(at("calls-two", provider), { config, contents })).text;
}

await tell({
  "google-genai-js": {
    text: async (p) => (await ask(at("says-hello", p))).text,
    stream: (p) => gather(heard(at("says-hello", p)), (piece) => piece.text),
    tools,
    structured: async (p) =>
      JSON.parse(
        (
          await ask(at("gives-json", p), {
            config: { responseMimeType: "application/json", responseJsonSchema: weatherSchema },
          })
        ).text,
      ),
    "bad key": (p) => statusOf(() => ask(at("says-hello", p), {}, stranger)),
    "unknown model": (p) => statusOf(() => ask(at("nobody", p))),
    "rate limit": (p) => statusOf(() => ask(at("fails-429", p))),
    "broken stream": (p) => outcomeOf(() => heard(at("resets-midway", p))),
  },
});
