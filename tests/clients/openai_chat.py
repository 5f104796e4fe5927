"""The official client of OpenAI against every provider, through Envoy.

Run by the test `official_clients` with the address of Envoy and names of providers, each of which is below its
name there. The client checks answers against its own models. A failed test ends the program with status 1.
"""

import json
import sys
import unittest

import httpx2
import openai
from pydantic import BaseModel, ConfigDict

ENVOY, *PROVIDERS = sys.argv[1:]
OPENAI = {"openai", "azure-openai"}
CITY = {
    "type": "object",
    "properties": {"city": {"type": "string"}},
    "required": ["city"],
    "additionalProperties": False,
}


def tools(provider):
    """Two tools, of which one takes nothing: there, models often say nothing, which becomes an empty object.

    One for OpenAI, whose streams pass as they come: the mock's calls take turns in them, as those of some servers
    do, and the client cannot add that up.
    """
    nothing = {"type": "object", "properties": {}}
    both = [
        {"type": "function", "function": {"name": "weather", "strict": True, "parameters": CITY}},
        {"type": "function", "function": {"name": "now", "parameters": nothing}},
    ]
    return both[:1] if provider in OPENAI else both


class Place(BaseModel):
    """What an answer is to look like."""

    model_config = ConfigDict(extra="forbid")
    city: str


def user(text):
    return {"role": "user", "content": text}


def clients():
    """Each provider, and what talks to it."""
    for provider in PROVIDERS:
        client = openai.OpenAI(
            base_url=f"http://{ENVOY}/{provider}/v1",
            api_key="of-the-client",
            max_retries=0,
            timeout=20,
            _strict_response_validation=True,
        )
        yield provider, client.chat.completions


def plain(message):
    """A message without what the client adds for itself, of which OpenAI's own schema knows nothing."""
    calls = [
        {"id": call.id, "type": "function", "function": call.function.model_dump(include={"name", "arguments"})}
        for call in message.tool_calls
    ]
    return {"role": "assistant", "content": message.content, "tool_calls": calls}


class Chat(unittest.TestCase):
    def streamed(self, chat, **asked):
        """The whole of a stream, as the client adds it up."""
        with chat.stream(model="any", stream_options={"include_usage": True}, **asked) as stream:
            for _ in stream:
                pass
            return stream.get_final_completion()

    def test_what_is_said_is_read(self):
        tokens = {"x-mock-tokens": "input:100,cached:40,output:20"}
        for provider, chat in clients():
            with self.subTest(provider):
                asked = {"messages": [user("Grüß dich")], "max_completion_tokens": 50, "extra_headers": tokens}
                for answer in (chat.create(model="any", **asked), self.streamed(chat, **asked)):
                    choice = answer.choices[0]
                    self.assertEqual((choice.message.content, choice.finish_reason), ("You said: Grüß dich", "stop"))
                    usage = answer.usage
                    self.assertEqual((usage.prompt_tokens, usage.completion_tokens, usage.total_tokens), (100, 20, 120))
                    self.assertEqual(usage.prompt_tokens_details.cached_tokens, 40)

    def test_tools_are_called_and_answered(self):
        for provider, chat in clients():
            with self.subTest(provider):
                for ask in (lambda **asked: chat.create(model="any", **asked), lambda **asked: self.streamed(chat, **asked)):
                    messages = [user("Which weather?")]
                    choice = ask(messages=messages, tools=tools(provider)).choices[0]
                    self.assertEqual(choice.finish_reason, "tool_calls")
                    calls = choice.message.tool_calls
                    offered = [tool["function"]["name"] for tool in tools(provider)]
                    self.assertEqual([call.function.name for call in calls], offered)
                    self.assertEqual(json.loads(calls[0].function.arguments), {"city": "Köln"})
                    messages.append(plain(choice.message) if provider in OPENAI else choice.message)
                    for call, result in zip(calls, ("rain", "noon")):
                        messages.append({"role": "tool", "tool_call_id": call.id, "content": result})
                    results = ", ".join(("rain", "noon")[: len(calls)])
                    said = ask(messages=messages, tools=tools(provider)).choices[0]
                    self.assertEqual((said.message.content, said.finish_reason), (f"The tools say: {results}", "stop"))

    def test_answers_are_parsed(self):
        for provider, chat in clients():
            with self.subTest(provider):
                asked = {"messages": [user("Where?")], "response_format": Place}
                for answer in (chat.parse(model="any", **asked), self.streamed(chat, **asked)):
                    self.assertEqual(answer.choices[0].message.parsed, Place(city="Köln"))

    def test_models_think(self):
        for provider, chat in clients():
            with self.subTest(provider):
                answer = chat.create(model="thinker", messages=[user("Why?")], reasoning_effort="low")
                self.assertEqual(answer.choices[0].message.content, "You said: Why?")
                thought = getattr(answer.choices[0].message, "reasoning_content", None)
                self.assertEqual(thought, None if provider in OPENAI else "That needs some thought.")

    def test_errors_are_the_clients_own(self):
        kinds = [
            (400, openai.BadRequestError),
            (403, openai.PermissionDeniedError),
            (429, openai.RateLimitError),
            (500, openai.InternalServerError),
            (503, openai.InternalServerError),
        ]
        for provider, chat in clients():
            with self.subTest(provider):
                for status, kind in kinds:
                    for stream in (False, True):
                        with self.assertRaises(kind) as raised:
                            knobs = {"x-mock-status": str(status)}
                            chat.create(model="any", messages=[user("x")], stream=stream, extra_headers=knobs)
                        error = raised.exception
                        self.assertEqual(error.status_code, status)
                        self.assertTrue(error.body["message"])
                        if status == 429:
                            self.assertEqual(error.response.headers["retry-after"], "1")

    def test_what_cannot_be_said_is_refused_by_its_name(self):
        for provider, chat in clients():
            with self.subTest(provider):
                if provider in OPENAI:
                    continue
                with self.assertRaises(openai.UnprocessableEntityError) as raised:
                    chat.create(model="any", messages=[user("x")], logit_bias={"1": 1})
                self.assertEqual(raised.exception.param, "logit_bias")

    def test_a_stream_that_fails_does_not_look_whole(self):
        for provider, chat in clients():
            for knobs in ({"x-mock-error-after": "3"}, {"x-mock-cut-after": "3"}):
                with self.subTest(provider, **knobs), self.assertRaises((openai.APIError, httpx2.HTTPError)):
                    for _ in chat.create(model="any", messages=[user("a b c d e f")], stream=True, extra_headers=knobs):
                        pass


if __name__ == "__main__":
    unittest.main(argv=sys.argv[:1], verbosity=0)
