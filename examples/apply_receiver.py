"""A content system's side of "Accept and apply": it changes articles that are files.

`SECRET=whsec_… ARTICLES=folder flask --app examples.apply_receiver run --port 5000`, and
`http://127.0.0.1:5000/apply` is the address to give Corrigenda. An article's file is named by the
last part of its address: `https://news.example/2026/night-buses` is `folder/night-buses.txt`.
"""

import json
import os
import re
import threading
from pathlib import Path
from urllib.parse import urlsplit

from flask import Flask, request
from standardwebhooks import Webhook, WebhookVerificationError

app = Flask(__name__)
webhook = Webhook(os.environ["SECRET"])
articles = Path(os.environ["ARTICLES"])
one_at_a_time = threading.Lock()


@app.post("/apply")
def receive():
    try:
        event = webhook.verify(request.get_data(), dict(request.headers))
    except WebhookVerificationError:
        return "", 401
    if event["type"] != "correction.apply":
        return "", 204
    with one_at_a_time:
        return remembered(request.headers["webhook-id"], event["data"])


def remembered(message_id, wanted):
    """The answer to a message that came before is the same again, and nothing is done twice."""
    told = articles / f".{re.sub('[^0-9A-Za-z-]', '', message_id)}.json"
    if not told.exists():
        replace(told, json.dumps(apply(wanted)))
    return json.loads(told.read_text(encoding="utf-8"))


def apply(wanted):
    name = urlsplit(wanted["article"]["url"]).path.rstrip("/").rpartition("/")[2]
    file = articles / f"{name}.txt"
    if not re.fullmatch(r"[0-9A-Za-z_-]+", name) or not file.exists():
        return {"result": "not_found", "detail": "There is no such article here."}
    text = file.read_text(encoding="utf-8")
    before, exact, after = wanted["prefix"], wanted["exact"], wanted["suffix"]
    if before + wanted["wording"] + after in text and before + exact + after not in text:
        return {"result": "already_applied"}
    found = text.count(before + exact + after)
    if found == 1:
        replace(file, text.replace(before + exact + after, before + wanted["wording"] + after))
        return {"result": "applied"}
    if found or exact in text:
        return {"result": "conflict", "detail": "These words stand in other surroundings now."}
    return {"result": "not_found"}


def replace(file, text):
    """Write a file whole or not at all."""
    draft = file.with_suffix(".part")
    draft.write_text(text, encoding="utf-8")
    draft.replace(file)
