"""Verdicts of lm-eval's copy of IFEval on answers of ours: test/golden/evaluation/ifeval.jsonl.

    pip install --no-deps lm-eval==0.4.11; pip install nltk langdetect immutabledict packaging
    python test/golden/make/ifeval.py
"""

import importlib
import importlib.util
import json
import random
import re
import sys
import types
from pathlib import Path

import nltk

# No sentence of nltk is compared, so its data is not needed; nor is the rest of lm-eval.
nltk.data.find = nltk.download = lambda *_, **__: True
for name in ("lm_eval", "lm_eval.tasks", "lm_eval.tasks.ifeval"):
    folder = next(Path(p) for p in sys.path if (Path(p) / "lm_eval").is_dir())
    module = types.ModuleType(name)
    module.__path__ = [str(folder / name.replace(".", "/"))]
    sys.modules[name] = module
kinds = importlib.import_module("lm_eval.tasks.ifeval.instructions_registry").INSTRUCTION_DICT

ROOT = Path(__file__).parents[3]
EXAMPLES = ROOT / "packages/evaluate/src/refusals/examples.jsonl"
random.seed(3)
pick = random.choice
relation = lambda: pick(["less than", "at least"])

changes = [
    str.upper, str.lower,
    lambda a: f'"{a}"',
    lambda a: "<<A title>>\n" + a,
    lambda a: a + "\n\nP.S. I like it",
    lambda a: a + "\n\nP.P.S more",
    lambda a: "\n***\n".join(a.split(". ")),
    lambda a: a.replace(". ", ".\n\n"),
    lambda a: a + "******" + a[:50],
    lambda a: '```json\n{"a": [1, 2]}\n```',
    lambda a: f"SECTION 1\n{a}\nSECTION 2 more\nSECTION 3",
    lambda a: re.sub(r"^(\d+)\.", "*", a, flags=re.M),
    lambda a: "\n".join("- " + part for part in a.split(". ")),
    lambda a: a.replace(",", ""),
    lambda a: a.replace("the", "[the]"),
    lambda a: f"*{a[:20]}* and **{a[-20:]}**\n{a}",
    lambda a: "My answer is no. " + a,
    lambda a: f"Sure:\n{a}\nHope it helps.",
    lambda a: f"***{a}***{a}***",
    lambda a: a + " Is there anything else?",
    lambda a: a,
]

def nth(a):
    parts = a.split("\n\n")
    n = random.randrange(1, len(parts) + 1)
    words = parts[n - 1].split()
    word = pick((words[:1] or ["x"]) + ["the"]).strip(".,\"'") or "x"
    # IFEval draws another paragraph where there is no n-th one.
    return {"num_paragraphs": max(n, len(parts) - pick([0, 0, 1])), "nth_paragraph": n, "first_word": word}

parameters = {
    "keywords:existence": lambda a: {"keywords": [pick(re.findall(r"\w+", a)), pick(["the", "banana"])]},
    "keywords:frequency": lambda a: {"keyword": pick(["the", "is", "and"]), "frequency": pick(range(1, 6)), "relation": relation()},
    "keywords:forbidden_words": lambda a: {"forbidden_words": random.sample(["the", "however", "banana", "cat", "you"], 2)},
    "keywords:letter_frequency": lambda a: {"letter": pick("abqzxet"), "let_frequency": pick(range(1, 30)), "let_relation": relation()},
    "length_constraints:number_paragraphs": lambda a: {"num_paragraphs": pick(range(1, 5))},
    "length_constraints:number_words": lambda a: {"num_words": pick(range(5, 80)), "relation": relation()},
    "length_constraints:nth_paragraph_first_word": nth,
    "detectable_content:number_placeholders": lambda a: {"num_placeholders": pick(range(1, 4))},
    "detectable_content:postscript": lambda a: {"postscript_marker": pick(["P.S.", "P.P.S"])},
    "detectable_format:number_bullet_lists": lambda a: {"num_bullets": pick(range(1, 5))},
    "detectable_format:constrained_response": lambda a: {},
    "detectable_format:number_highlighted_sections": lambda a: {"num_highlights": pick(range(1, 4))},
    "detectable_format:multiple_sections": lambda a: {"section_spliter": "SECTION", "num_sections": pick(range(1, 5))},
    "detectable_format:json_format": lambda a: {},
    "detectable_format:title": lambda a: {},
    "combination:two_responses": lambda a: {},
    "combination:repeat_prompt": lambda a: {"prompt_to_repeat": pick([a[:30].upper(), "Say it."])},
    "startend:end_checker": lambda a: {"end_phrase": pick(["Is there anything else?", a[-10:]])},
    "startend:quotation": lambda a: {},
    "change_case:english_capital": lambda a: {},
    "change_case:english_lowercase": lambda a: {},
    "punctuation:no_comma": lambda a: {},
}


def follows(id, given, answer):
    kind = kinds[id](id)
    kind.build_description(**given)
    return bool(answer.strip() and kind.check_following(answer))


answers = [json.loads(line)["answer"] for line in EXAMPLES.read_text().splitlines()]
answers = [a for a in answers if len(a) > 60]
rows = []
# At most this many followed and not followed instructions of a kind.
MOST = 12
kept = {}
for _ in range(30_000):
    answer = pick(changes)(pick(answers))
    id = pick(list(parameters))
    given = parameters[id](answer)
    if "" in given.values():
        continue
    lines = answer.split("\n")
    parts = ["\n".join(part).strip() for part in (lines[1:], lines[:-1], lines[1:-1])]
    forms = [answer, *parts]
    forms += [form.replace("*", "") for form in forms]
    strict = follows(id, given, answer)
    loose = any(follows(id, given, form) for form in forms)
    row = {"id": id, "kwargs": given, "answer": answer, "strict": strict, "loose": loose}
    held = kept.setdefault((id, strict or loose), [])
    if len(held) < MOST and row not in held:
        held.append(row)
        rows.append(row)
path = ROOT / "test/golden/evaluation/ifeval.jsonl"
path.write_text("".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows))
