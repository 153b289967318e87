import itertools, json, os, pathlib, subprocess, time, urllib.request

box, written, read = pathlib.Path(os.environ["SYMPOZIUM_MAILBOX"]), itertools.count(1), itertools.count(1)

def send(type, **fields):
    file = box / "out" / f"{next(written):06d}-{type}.tmp"
    file.write_text(json.dumps({"v": 1, "id": file.stem, "type": type, **fields}))
    file.rename(file.with_suffix(".json"))  # complete: now it may be read

def receive():
    name = f"in/{next(read):06d}-*.json"
    while not (found := list(box.glob(name))):
        time.sleep(0.02)
    return json.loads(found[0].read_text())

task = receive()
send("tool-call", tool="execute_command", arguments={"command": "id; grep ' / ' /proc/mounts | cut -d, -f1"})
while (tool := receive())["type"] == "tool-call":  # allowed: the built-in tools act in the agent's own container
    send("tool-result", id=tool["id"], ok=True, content=subprocess.getoutput(tool["arguments"]["command"]))
send("delta", text=tool["content"])
ask = {"model": task["model"], "messages": [{"role": "user", "content": f"{task['input']}\n\n{tool['content']}"}]}
url, kind = os.environ["OPENAI_BASE_URL"] + "/chat/completions", {"content-type": "application/json"}
answer = json.load(urllib.request.urlopen(urllib.request.Request(url, json.dumps(ask).encode(), kind)))
send("result", output=f"{tool['content']}\n\n{answer['choices'][0]['message']['content']}")
