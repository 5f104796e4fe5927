"""The official client of Anthropic against every provider that it can have, through Envoy.

Run by the test `official_clients` with the address of Envoy and names of providers, each of which is below its
name there. The client checks answers against its own models. A failed test ends the program with status 1.
"""

import sys
import unittest

import anthropic
import httpx2
from pydantic import BaseModel, ConfigDict

ENVOY, *PROVIDERS = sys.argv[1:]
OPENAI = {"openai", "azure-openai"}
TOOLS = [
    {
        "name": "weather",
        "input_schema": {
            "type": "object",
            "properties": {"city": {"type": "string"}},
            "required": ["city"],
            "additionalProperties": False,
        },
    },
    {"name": "now", "input_schema": {"type": "object", "properties": {}}},
]


class Place(BaseModel):
    """What an answer is to look like."""

    model_config = ConfigDict(extra="forbid")
    city: str


def user(content):
    return {"role": "user", "content": content}


def text(message):
    return "".join(block.text for block in message.content if block.type == "text")


def clients():
    """Each provider, and what talks to it."""
    for provider in PROVIDERS:
        client = anthropic.Anthropic(
            base_url=f"http://{ENVOY}/{provider}",
            api_key="of-the-client",
            max_retries=0,
            timeout=20,
            _strict_response_validation=True,
        )
        yield provider, client.messages


class Messages(unittest.TestCase):
    def both(self, client, **asked):
        """The answer as a document, and as a stream that the client adds up."""
        asked = {"model": "any", "max_tokens": 3000, **asked}
        yield client.create(**asked)
        with client.stream(**asked) as stream:
            for _ in stream:
                pass
            yield stream.get_final_message()

    def test_what_is_said_is_read(self):
        tokens = {"x-mock-tokens": "input:100,cached:40,output:20"}
        for provider, messages in clients():
            with self.subTest(provider):
                asked = {"system": "Be brief.", "messages": [user("Grüß dich")], "extra_headers": tokens}
                for message in self.both(messages, **asked):
                    self.assertEqual((text(message), message.stop_reason), ("You said: Grüß dich", "end_turn"))
                    usage = message.usage
                    self.assertEqual((usage.input_tokens, usage.cache_read_input_tokens, usage.output_tokens), (60, 40, 20))

    def test_tools_are_called_and_answered(self):
        for provider, messages in clients():
            with self.subTest(provider):
                for called in self.both(messages, messages=[user("Which weather?")], tools=TOOLS):
                    self.assertEqual(called.stop_reason, "tool_use")
                    uses = [block for block in called.content if block.type == "tool_use"]
                    self.assertEqual([(use.name, use.input) for use in uses], [("weather", {"city": "Köln"}), ("now", {})])
                    results = [
                        {"type": "tool_result", "tool_use_id": use.id, "content": result}
                        for use, result in zip(uses, ("rain", "noon"))
                    ]
                    turns = [user("Which weather?"), {"role": "assistant", "content": called.content}, user(results)]
                    for said in self.both(messages, messages=turns, tools=TOOLS):
                        self.assertEqual((text(said), said.stop_reason), ("The tools say: rain, noon", "end_turn"))

    def test_answers_are_parsed(self):
        for provider, messages in clients():
            with self.subTest(provider):
                asked = {"model": "any", "max_tokens": 100, "messages": [user("Where?")], "output_format": Place}
                self.assertEqual(messages.parse(**asked).parsed_output, Place(city="Köln"))
                with messages.stream(**asked) as stream:
                    self.assertEqual(stream.get_final_message().parsed_output, Place(city="Köln"))

    def test_models_think(self):
        for provider, messages in clients():
            with self.subTest(provider):
                asked = {"model": "thinker", "messages": [user("Why?")]}
                for message in self.both(messages, thinking={"type": "enabled", "budget_tokens": 2000}, **asked):
                    self.assertEqual(text(message), "You said: Why?")
                    thoughts = [block.thinking for block in message.content if block.type == "thinking"]
                    self.assertEqual(thoughts, [] if provider in OPENAI else ["That needs some thought."])

    def test_tokens_are_counted_where_they_are(self):
        for provider, messages in clients():
            with self.subTest(provider):
                asked = {"model": "any", "messages": [user("How many?")]}
                if provider in {"anthropic", "vertex-anthropic"}:
                    self.assertGreater(messages.count_tokens(**asked).input_tokens, 0)
                else:
                    with self.assertRaises(anthropic.NotFoundError) as raised:
                        messages.count_tokens(**asked)
                    self.assertEqual(raised.exception.body["error"]["type"], "not_found_error")

    def test_errors_are_the_clients_own(self):
        kinds = [
            (400, anthropic.BadRequestError),
            (403, anthropic.PermissionDeniedError),
            (429, anthropic.RateLimitError),
            (500, anthropic.InternalServerError),
            (503, anthropic.InternalServerError),
        ]
        for provider, messages in clients():
            with self.subTest(provider):
                for status, kind in kinds:
                    for stream in (False, True):
                        with self.assertRaises(kind) as raised:
                            knobs = {"x-mock-status": str(status)}
                            messages.create(
                                model="any", max_tokens=9, messages=[user("x")], stream=stream, extra_headers=knobs
                            )
                        error = raised.exception
                        self.assertEqual(error.status_code, status)
                        self.assertEqual(error.body["type"], "error")
                        self.assertTrue(error.body["error"]["message"])

    def test_a_stream_that_fails_does_not_look_whole(self):
        for provider, messages in clients():
            for knobs in ({"x-mock-error-after": "4"}, {"x-mock-cut-after": "4"}):
                asked = {"model": "any", "max_tokens": 99, "messages": [user("a b c d e f")], "extra_headers": knobs}
                kinds = []
                with self.subTest(provider, **knobs):
                    with self.assertRaises((anthropic.APIError, httpx2.HTTPError)):
                        for event in messages.create(stream=True, **asked):
                            kinds.append(event.type)
                    self.assertNotIn("message_stop", kinds)


if __name__ == "__main__":
    unittest.main(argv=sys.argv[:1], verbosity=0)
