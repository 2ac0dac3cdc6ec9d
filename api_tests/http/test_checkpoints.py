import base64
import hashlib
import shutil
from typing import Any

import httpx
import pytest

from api_tests.support.fake_agent import FakeAgent
from api_tests.support.manifests import DIGEST, a_manifest, published_body
from api_tests.support.problems import problem_of
from api_tests.support.server import Server

CONTENT = bytes(range(256)) * 4


def test_latest_names_the_newest_of_a_job_and_is_304_until_there_is_a_newer(
    agent: FakeAgent,
) -> None:
    claim = running(agent)
    agent.save(claim, 10)
    query = {"job": claim["job_id"]}
    first = agent.http.get("/checkpoints/latest", params=query)
    assert first.json()["step"] == 10
    headers = {"If-None-Match": first.headers["etag"]}
    same = agent.http.get("/checkpoints/latest", params=query, headers=headers)
    assert same.status_code == 304
    newer = agent.save(claim, 20)
    after = agent.http.get("/checkpoints/latest", params=query, headers=headers)
    assert after.json()["id"] == newer
    assert agent.http.get(f"/jobs/{claim['job_id']}").json()["latest_checkpoint"] == newer


def test_there_may_be_no_latest(agent: FakeAgent) -> None:
    job = agent.submit()
    empty = agent.http.get("/checkpoints/latest", params={"job": job["id"]})
    problem_of(empty, 404, "no_checkpoint")
    unknown = agent.http.get("/checkpoints/latest", params={"recipe": "detnas"})
    problem_of(unknown, 404, "no_checkpoint")
    nobody = agent.http.get("/checkpoints/latest", params={"job": "job_none"})
    problem_of(nobody, 404, "no_such_job")


def test_checkpoints_are_listed_in_pages(agent: FakeAgent) -> None:
    claim = running(agent)
    saved = [agent.save(claim, step) for step in (1, 2, 3)]
    query = {"job": claim["job_id"], "limit": 2}
    first = agent.http.get("/checkpoints", params=query).json()
    assert len(first["data"]) == 2
    assert first["has_more"]
    rest = agent.http.get("/checkpoints", params=query | {"after": first["next"]}).json()
    listed = [each["id"] for each in first["data"] + rest["data"]]
    assert sorted(listed) == sorted(saved)
    of_job = agent.http.get(f"/jobs/{claim['job_id']}/checkpoints").json()["data"]
    assert [each["step"] for each in of_job] == [3, 2, 1]
    other = agent.http.get("/checkpoints", params=query | {"recipe": "detnas"}).json()
    assert other["data"] == []


def test_a_checkpoint_is_shown_whole(agent: FakeAgent) -> None:
    claim = running(agent)
    checkpoint_id = agent.save(claim, 10, CONTENT)
    answer = agent.http.get(f"/checkpoints/{checkpoint_id}")
    shown = answer.json()
    assert (shown["object"], shown["job_id"], shown["step"]) == ("checkpoint", claim["job_id"], 10)
    assert shown["files"]["model.safetensors"]["bytes"] == shown["bytes"] == len(CONTENT)
    assert shown["manifest"]["class_names"][3] == "3"
    headers = {"If-None-Match": answer.headers["etag"]}
    again = agent.http.get(f"/checkpoints/{checkpoint_id}", headers=headers)
    assert again.status_code == 304


@pytest.mark.parametrize("path", ["/ckpt_none", "/ckpt_none/files/model.safetensors"])
def test_a_checkpoint_that_is_not_there_is_not_found(http: httpx.Client, path: str) -> None:
    problem_of(http.get(f"/checkpoints{path}"), 404, "no_such_checkpoint")


@pytest.mark.parametrize("limit", ["0", "101", "x"])
def test_a_page_of_another_size_is_refused(http: httpx.Client, limit: str) -> None:
    problem_of(http.get("/checkpoints", params={"limit": limit}), 422, "invalid")


def test_a_file_comes_whole_with_its_digest(agent: FakeAgent) -> None:
    answer = agent.http.get(file(agent))
    sha256 = hashlib.sha256(CONTENT)
    assert answer.content == CONTENT
    assert answer.headers["etag"] == f'"{sha256.hexdigest()}"'
    encoded = base64.b64encode(sha256.digest()).decode()
    assert answer.headers["digest"] == f"sha-256={encoded}"
    assert answer.headers["content-type"] == "application/octet-stream"
    same = agent.http.get(file_again(answer), headers={"If-None-Match": answer.headers["etag"]})
    assert (same.status_code, same.content) == (304, b"")


@pytest.mark.parametrize(
    ("asked", "got", "content_range"),
    [
        ("bytes=0-9", CONTENT[:10], "bytes 0-9/1024"),
        ("bytes=1000-", CONTENT[1000:], "bytes 1000-1023/1024"),
        ("bytes=-5", CONTENT[-5:], "bytes 1019-1023/1024"),
    ],
)
def test_a_part_of_a_file_can_be_asked_for(
    agent: FakeAgent, asked: str, got: bytes, content_range: str
) -> None:
    answer = agent.http.get(file(agent), headers={"Range": asked})
    assert (answer.status_code, answer.content) == (206, got)
    assert answer.headers["content-range"] == content_range


def test_a_download_goes_on_only_where_the_file_is_the_same(agent: FakeAgent) -> None:
    path = file(agent)
    etag = agent.http.get(path).headers["etag"]
    on = agent.http.get(path, headers={"Range": "bytes=1000-", "If-Range": etag})
    anew = agent.http.get(path, headers={"Range": "bytes=1000-", "If-Range": '"other"'})
    assert (on.status_code, anew.status_code) == (206, 200)


def test_a_part_that_is_not_there_is_refused_with_how_much_there_is(agent: FakeAgent) -> None:
    answer = agent.http.get(file(agent), headers={"Range": "bytes=5000-"})
    problem = problem_of(answer, 416, "no_such_range")
    assert "1024 bytes" in problem["detail"]
    assert answer.headers["content-range"] == "bytes */1024"


def test_a_part_that_cannot_be_meant_is_refused_with_how_to_ask(agent: FakeAgent) -> None:
    answer = agent.http.get(file(agent), headers={"Range": "bytes=x"})
    assert "bytes=0-99" in problem_of(answer, 400, "bad_range")["detail"]


@pytest.mark.parametrize(
    "name", ["none", "..%2f..%2ftrainyard.db", "%2e%2e", "%2fetc%2fpasswd", "a%00b", "."]
)
def test_no_other_file_can_be_had(server: Server, agent: FakeAgent, name: str) -> None:
    folder = file(agent).rsplit("/", 1)[0]
    answer = httpx.get(f"{server.url}{folder}/{name}")
    assert answer.status_code in (404, 405, 422), answer.text
    problem_of(answer, answer.status_code, answer.json()["code"])


def test_a_checkpoint_can_name_no_file_outside_its_folder(server: Server, agent: FakeAgent) -> None:
    (server.volume / "secret").write_text("secret")
    claim = running(agent)
    body = published_body(a_manifest(claim["job_id"], 10))
    body["checkpoint"]["files"] = {"../../../../../secret": DIGEST}
    agent.beat(claim, ("checkpoint", body))
    assert agent.http.get(f"/jobs/{claim['job_id']}/checkpoints").json()["data"] == []


def test_files_that_were_removed_are_gone(server: Server, agent: FakeAgent) -> None:
    claim = running(agent)
    checkpoint_id = agent.save(claim, 10)
    shutil.rmtree(server.volume / "jobs" / claim["job_id"])
    path = f"/checkpoints/{checkpoint_id}/files/model.safetensors"
    problem_of(agent.http.get(path), 410, "checkpoint_gone")


def test_files_that_retention_lets_go_are_gone(agent: FakeAgent) -> None:
    claim = running(agent, retention={"keep_last": 2, "keep_best": 0})
    oldest, *_ = [agent.save(claim, step) for step in (1, 2, 3)]
    path = f"/checkpoints/{oldest}/files/model.safetensors"
    problem_of(agent.http.get(path), 410, "checkpoint_gone")
    assert agent.http.get(f"/checkpoints/{oldest}").json()["state"] == "purging"


def running(agent: FakeAgent, **fields: Any) -> dict[str, Any]:
    agent.submit(**fields)
    return agent.claim()


def file(agent: FakeAgent) -> str:
    return f"/checkpoints/{agent.save(running(agent), 10, CONTENT)}/files/model.safetensors"


def file_again(answer: httpx.Response) -> str:
    return answer.request.url.path
