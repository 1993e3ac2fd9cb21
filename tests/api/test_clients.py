"""Other programs' own clients work with a running Attest. Those from npm are installed for the test."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from assistant.types import Answer
from tests.api.conftest import QUESTION, Served


def run(command: list[str], folder: Path, **environment: str) -> str:
    """What a command prints; it must end well."""
    done = subprocess.run(
        command,
        cwd=folder,
        env={**os.environ, "NO_PROXY": "127.0.0.1", **environment},
        capture_output=True,
        text=True,
        timeout=600,
        check=False,
        stdin=subprocess.DEVNULL,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.fixture(scope="session")
def node(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder in which packages of npm can be installed."""
    if shutil.which("npm") is None:
        pytest.skip("There is no npm on this machine.")
    folder = tmp_path_factory.mktemp("node")
    (folder / "package.json").write_text('{"type": "module", "private": true}')
    return folder


def install(folder: Path, *packages: str) -> None:
    run(["npm", "install", "--no-audit", "--no-fund", *packages], folder)


def test_llama_index_asks(served: Served) -> None:
    from llama_index.core.llms import ChatMessage
    from llama_index.llms.openai_like import OpenAILike

    model = OpenAILike(model="attest", api_base=served.v1, api_key="none", is_chat_model=True)
    reply = model.chat([ChatMessage(role="user", content=QUESTION)])
    answer = Answer.model_validate(reply.raw.model_extra["attest"])  # type: ignore[union-attr]
    assert reply.message.content == answer.text
    pieces = list(model.stream_chat([ChatMessage(role="user", content=QUESTION)]))
    assert pieces[-1].message.content == answer.text


@pytest.mark.hard
def test_lang_chain_asks(served: Served) -> None:
    langchain_openai = pytest.importorskip("langchain_openai")
    model = langchain_openai.ChatOpenAI(model="attest", base_url=served.v1, api_key="none", temperature=0.2)
    reply = model.invoke([("system", "Be brief."), ("user", QUESTION)])
    assert "1993" in reply.content
    assert "".join(piece.content for piece in model.stream(QUESTION)) == reply.content
    by_responses = langchain_openai.ChatOpenAI(
        model="attest", base_url=served.v1, api_key="none", use_responses_api=True
    ).invoke(QUESTION)
    assert by_responses.text == reply.content
    assert by_responses.content[0]["annotations"]
    vectors = langchain_openai.OpenAIEmbeddings(
        model="attest-embedding", base_url=served.v1, api_key="none", check_embedding_ctx_length=False
    ).embed_documents(["a bell", "กระดิ่ง"])
    assert [len(vector) for vector in vectors] == [served.library.embedder.dimensions] * 2


@pytest.mark.hard
def test_llm_asks(served: Served, tmp_path: Path) -> None:
    pytest.importorskip("llm")
    model = [{"model_id": "attest", "model_name": "attest", "api_base": served.v1}]
    (tmp_path / "extra-openai-models.yaml").write_text(json.dumps(model))  # JSON is YAML too
    program = "from llm.cli import cli; cli()"
    for more in ([], ["--no-stream"]):
        command = [sys.executable, "-c", program, "-m", "attest", QUESTION, *more]
        said = run(command, tmp_path, LLM_USER_PATH=str(tmp_path), OPENAI_API_KEY="none")
        assert "1993" in said


NODE = """
import OpenAI from 'openai';
const client = new OpenAI({baseURL: process.argv[2], apiKey: 'none', maxRetries: 0});
const messages = [{role: 'user', content: process.argv[3]}];
const whole = await client.chat.completions.create({model: 'attest', messages});
let text = '', attest;
for await (const chunk of await client.chat.completions.create({model: 'attest', messages, stream: true})) {
  text += chunk.choices[0]?.delta?.content ?? '';
  attest = chunk.attest ?? attest;
}
const response = await client.responses.create({model: 'attest', input: process.argv[3]});
const vectors = await client.embeddings.create({model: 'attest-embedding', input: ['a bell', 'กระดิ่ง']});
let refused;
try { await client.chat.completions.create({model: 'nothing', messages}); } catch (error) { refused = error.code; }
const [part] = response.output[0].content;
console.log(JSON.stringify({
  content: whole.choices[0].message.content, text, attest, response: response.output_text,
  annotations: part.annotations, sizes: vectors.data.map(item => item.embedding.length), refused,
}));
"""


@pytest.mark.hard
def test_openai_s_client_for_node_asks(served: Served, node: Path) -> None:
    install(node, "openai")
    (node / "ask.js").write_text(NODE, encoding="utf-8")
    said: dict[str, Any] = json.loads(run(["node", "ask.js", served.v1, QUESTION], node))
    answer = Answer.model_validate(said["attest"])
    assert said["content"] == said["text"] == said["response"] == answer.text
    assert len(said["annotations"]) == sum(len(claim.citations) for claim in answer.claims)
    assert said["sizes"] == [served.library.embedder.dimensions] * 2
    assert said["refused"] == "model_not_found"


@pytest.mark.hard
def test_promptfoo_evaluates(served: Served, node: Path, tmp_path: Path) -> None:
    install(node, "promptfoo")
    suite = {
        "prompts": ["{{question}}"],
        "providers": [{"id": "openai:chat:attest", "config": {"apiBaseUrl": served.v1, "apiKey": "none"}}],
        "tests": [{"vars": {"question": QUESTION}, "assert": [{"type": "contains", "value": "1993"}]}],
    }
    (tmp_path / "promptfooconfig.json").write_text(json.dumps(suite))
    command = [str(node / "node_modules" / ".bin" / "promptfoo"), "eval", "-c", "promptfooconfig.json"]
    quiet = {"PROMPTFOO_DISABLE_TELEMETRY": "1", "PROMPTFOO_DISABLE_UPDATE": "1", "PROMPTFOO_CONFIG_DIR": str(tmp_path)}
    run([*command, "--no-cache", "-o", "result.json"], tmp_path, **quiet)
    result = json.loads((tmp_path / "result.json").read_text(encoding="utf-8"))
    assert result["results"]["stats"]["successes"] == 1


SUITE = """\
suite: vienna
cases:
  - id: when
    question: "When did the World Conference in Vienna take place?"
    language: en
    expect: {answerable: true, answer_contains: "1993", must_not_contain: [1848, 1968], answer_regex: '19\\d\\d'}
  - id: seats
    question: "ทวีปแอฟริกามีกี่ที่นั่งในคณะมนตรีสิทธิมนุษยชน"
    language: th
    expect: {answer_contains_any: ["13 ghế", "13 ที่นั่ง"]}
  - id: wrong
    question: "When did the World Conference in Vienna take place?"
    language: en
    expect: {answer_contains: "1848"}
"""


@pytest.mark.hard
def test_promptfoo_judges_a_suite_that_was_written_for_it_as_we_do(served: Served, node: Path, tmp_path: Path) -> None:
    install(node, "promptfoo")
    ours, theirs = tmp_path / "vienna.yaml", tmp_path / "promptfoo.yaml"
    ours.write_text(SUITE, encoding="utf-8")
    attest = [sys.executable, "-c", "from assistant.cli import main; main()", "eval"]
    home = str(served.library.settings.home)
    run([*attest, "convert", str(ours), str(theirs), "--to", "promptfoo"], tmp_path)
    command = [str(node / "node_modules" / ".bin" / "promptfoo"), "eval", "-c", theirs.name]
    provider = ["--providers", "openai:chat:attest", "--no-cache", "-o", "result.json"]
    environment = {
        "OPENAI_BASE_URL": served.v1,
        "OPENAI_API_KEY": "none",
        "PROMPTFOO_DISABLE_TELEMETRY": "1",
        "PROMPTFOO_DISABLE_UPDATE": "1",
        "PROMPTFOO_CONFIG_DIR": str(tmp_path),
        "PROMPTFOO_FAILED_TEST_EXIT_CODE": "0",
    }
    run([*command, *provider], tmp_path, **environment)
    results = json.loads((tmp_path / "result.json").read_text(encoding="utf-8"))["results"]["results"]
    judged = {result["testCase"]["description"]: result["success"] for result in results}
    asked = [*attest, "run", str(ours), "--system", f"{served.v1}#attest", "--out", str(tmp_path / "run"), "--json"]
    verdicts = json.loads(run(asked, tmp_path, ATTEST_HOME=home))
    passed = {case["id"]: case["passed"] for case in verdicts["cases"]}
    assert judged == {"when": True, "seats": True, "wrong": False}
    assert judged == passed


@pytest.mark.hard
def test_an_mcp_host_finds_and_calls_the_tools(served: Served, node: Path) -> None:
    install(node, "@modelcontextprotocol/inspector")
    host = [str(node / "node_modules" / ".bin" / "mcp-inspector"), "--cli", f"{served.address}/mcp"]
    http = ["--transport", "http"]
    tools = json.loads(run([*host, *http, "--method", "tools/list"], node))["tools"]
    assert {tool["name"] for tool in tools} == {"ask", "search", "list_documents", "read_document"}
    call = ["--method", "tools/call", "--tool-name", "ask", "--tool-arg", f"question={QUESTION}"]
    result = json.loads(run([*host, *http, *call], node))
    assert Answer.model_validate(result["structuredContent"]).answered
