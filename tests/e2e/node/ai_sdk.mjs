// The Vercel AI SDK, over its libraries for OpenAI (responses and chat), Anthropic, Google and OpenAI-like hosts.
import { at, citySchema, gather, getWeather, key, load, question, root, statusOf, tell, weatherSchema, wrong } from "./tell.mjs";

const { generateObject, generateText, jsonSchema, stepCountIs, streamText, tool } = await load("ai");
const { createOpenAI } = await load("@ai-sdk/openai");
const { createAnthropic } = await load("@ai-sdk/anthropic");
const { createGoogleGenerativeAI } = await load("@ai-sdk/google");
const { createOpenAICompatible } = await load("@ai-sdk/openai-compatible");
const libraries = {
  "ai-sdk openai": (apiKey) => createOpenAI({ baseURL: `${root}/v1`, apiKey }),
  "ai-sdk openai chat": (apiKey) => createOpenAI({ baseURL: `${root}/v1`, apiKey }).chat,
  "ai-sdk anthropic": (apiKey) => createAnthropic({ baseURL: `${root}/v1`, apiKey }),
  "ai-sdk google": (apiKey) => createGoogleGenerativeAI({ baseURL: `${root}/v1beta`, apiKey }),
  "ai-sdk compatible": (apiKey) =>
    createOpenAICompatible({ name: "gateway", baseURL: `${root}/v1`, apiKey, supportsStructuredOutputs: true }),
};

function scenarios(made) {
  const asked = (script, provider, apiKey = key) => ({
    model: made(apiKey)(at(script, provider)),
    prompt: question,
    maxRetries: 0,
    // The scripted provider keeps no answers, so that the whole conversation is sent each time.
    providerOptions: { openai: { store: false } },
  });
  const getWeatherTool = tool({
    description: "Tell the weather of a city.",
    inputSchema: jsonSchema(citySchema),
    execute: async (input) => getWeather(input),
  });
  return {
    text: async (p) => (await generateText(asked("says-hello", p))).text,
    stream: (p) => gather(streamText(asked("says-hello", p)).textStream, (piece) => piece),
    tools: async (p) =>
      gather(
        streamText({ ...asked("calls-two", p), tools: { get_weather: getWeatherTool }, stopWhen: stepCountIs(3) })
          .textStream,
        (piece) => piece,
      ).then((told) => told.replace("Let me look.", "")),
    structured: async (p) =>
      (await generateObject({ ...asked("gives-json", p), schema: jsonSchema(weatherSchema) })).object,
    "bad key": (p) => statusOf(() => generateText(asked("says-hello", p, wrong))),
    "unknown model": (p) => statusOf(() => generateText(asked("nobody", p))),
    "rate limit": (p) => statusOf(() => generateText(asked("fails-429", p))),
  };
}

await tell(Object.fromEntries(Object.entries(libraries).map(([name, made]) => [name, scenarios(made)])));
