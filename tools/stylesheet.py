"""Cut a style sheet down to what the console uses, and squeeze our own.

The base style sheet carries thousands of classes for pages that the console does not have. A rule stays when every
class in one of its selectors occurs as a word in our templates, scripts or Python files (or in `tools/classes.txt`);
custom properties and key frames stay while something still reads them. Rules without classes always stay.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

WORD = re.compile(r"[A-Za-z_-][\w-]*")
_BETWEEN = re.compile(r"[\s\"'`<>=]+")  # names such as w-1/2 are no words
_STRING = r'"(?:\\.|[^"\\])*"|\'(?:\\.|[^\'\\])*\''
_TOKEN = re.compile(rf"{_STRING}|/\*.*?\*/|url\([^)\"']*\)|[{{}};]", re.DOTALL)
_CLASS = re.compile(r"\.(-?[A-Za-z_](?:\\.|[\w-])*)")
_PARTS = re.compile(rf"{_STRING}|[(),]|[^(),\"']+|[\"']")
_OPTIONAL = re.compile(r":(?:not|is|where|has)$")
_GROUPING = ("@media", "@supports", "@layer", "@container")
_MAX_PASSES = 12


@dataclass(frozen=True)
class Rule:
    """A style rule or an at-rule with its text between the braces; `body` is None for a statement such as @charset."""

    prelude: str
    body: str | None
    children: tuple[Rule, ...] = ()

    @property
    def grouping(self) -> bool:
        """Return whether the rule holds other rules, as @media does."""
        return self.prelude.startswith(_GROUPING)


def words(texts: Iterable[str]) -> set[str]:
    """Return every word of the texts that could be a class name."""
    found: set[str] = set()
    for text in texts:
        found.update(WORD.findall(text))
        found.update(_BETWEEN.split(text))
    return found


def class_names(css: str) -> set[str]:
    """Return the classes that the selectors of a style sheet name."""
    return {name.replace("\\", "") for rule in _flat(parse(css)) for name in _CLASS.findall(rule.prelude)}


def parse(css: str) -> tuple[Rule, ...]:
    """Split a style sheet into rules; raises ValueError where braces do not match or rules are nested."""
    rules, end = _parse(css, 0, inner=False)
    if css[end:].strip():
        raise ValueError(f"the style sheet ends early at character {end}")
    return tuple(rules)


def _parse(css: str, start: int, *, inner: bool) -> tuple[list[Rule], int]:
    rules: list[Rule] = []
    begin = start
    position = start
    while token := _TOKEN.search(css, position):
        position = token.end()
        mark = token.group()
        if mark.startswith("/*"):
            if not css[begin : token.start()].strip():
                begin = position
        elif mark == ";":
            rules.append(Rule(css[begin : token.start()].strip(), None))
            begin = position
        elif mark == "}":
            if not inner:
                raise ValueError(f"a closing brace without an opening one at character {token.start()}")
            return rules, position
        elif mark == "{":
            prelude = css[begin : token.start()].strip()
            if prelude.startswith(_GROUPING):
                children, position = _parse(css, position, inner=True)
                rules.append(Rule(prelude, None, tuple(children)))
            else:
                end = _closing(css, position, nested=prelude.startswith(("@keyframes", "@-webkit-keyframes")))
                rules.append(Rule(prelude, css[position:end]))
                position = end + 1
            begin = position
    if inner:
        raise ValueError("an opening brace is never closed")
    return rules, position


def _closing(css: str, start: int, *, nested: bool) -> int:
    depth = 1
    for token in _TOKEN.finditer(css, start):
        mark = token.group()
        if mark == "{":
            if not nested:
                raise ValueError(f"a rule inside a rule at character {token.start()}: {css[start : start + 60]!r}")
            depth += 1
        elif mark == "}":
            depth -= 1
            if not depth:
                return token.start()
    raise ValueError("an opening brace is never closed")


def _flat(rules: Iterable[Rule]) -> Iterator[Rule]:
    for rule in rules:
        if rule.grouping:
            yield from _flat(rule.children)
        else:
            yield rule


def prune(css: str, used: set[str], readers: Iterable[str] = ()) -> str:
    """Return the style sheet without rules for classes outside `used`.

    `readers` are other sources (our own style sheets and scripts) whose custom properties and key frames must stay.
    """
    banner = "".join(re.findall(r"/\*!.*?\*/", css, re.DOTALL))
    rules = _keep(parse(css), used)
    outside = "\n".join(readers)
    properties = set(re.findall(r"--[\w-]+", outside))
    for _ in range(_MAX_PASSES):
        text = "".join(map(_write, rules))
        needed = properties | set(re.findall(r"var\(\s*(--[\w-]+)", text))
        frames = set(WORD.findall(" ".join(re.findall(r"animation(?:-name)?:([^;}]*)", text + outside))))
        smaller = _without_unread(rules, needed, frames)
        if smaller == rules:
            break
        rules = smaller
    return '@charset "UTF-8";' + banner + "".join(map(_write, rules)) + "\n"


def _keep(rules: Iterable[Rule], used: set[str]) -> tuple[Rule, ...]:
    kept = []
    for rule in rules:
        if rule.grouping:
            children = _keep(rule.children, used)
            if children:
                kept.append(Rule(rule.prelude, None, children))
        elif rule.prelude.startswith("@charset"):
            continue
        elif rule.prelude.startswith("@"):
            kept.append(rule)
        else:
            selectors = [one for one in _selectors(rule.prelude) if _required(one) <= used]
            if selectors:
                kept.append(Rule(",".join(selectors), rule.body))
    return tuple(kept)


def _selectors(prelude: str) -> list[str]:
    selectors = [""]
    depth = 0
    for part in _PARTS.findall(prelude):
        if part == "," and not depth:
            selectors.append("")
            continue
        depth += (part == "(") - (part == ")")
        selectors[-1] += part
    return [one.strip() for one in selectors if one.strip()]


def _required(selector: str) -> set[str]:
    """Return the classes without which a selector cannot match.

    Alternatives inside :is() and :not() are not required.
    """
    outside: list[str] = []
    optional: list[bool] = []
    for part in _PARTS.findall(selector):
        if part == "(":
            optional.append(bool(outside and _OPTIONAL.search(outside[-1])) or any(optional))
        elif part == ")":
            optional.pop()
        if not any(optional):
            outside.append(part)
    return {name.replace("\\", "") for name in _CLASS.findall("".join(outside))}


def _without_unread(rules: Iterable[Rule], needed: set[str], frames: set[str]) -> tuple[Rule, ...]:
    kept = []
    for rule in rules:
        name = rule.prelude.partition(" ")[2].strip()
        if rule.grouping:
            children = _without_unread(rule.children, needed, frames)
            if children:
                kept.append(Rule(rule.prelude, None, children))
        elif "keyframes" in rule.prelude:
            if name in frames:
                kept.append(rule)
        elif rule.prelude.startswith("@property"):
            if name in needed:
                kept.append(rule)
        elif rule.body is not None:
            body = ";".join(d for d in _declarations(rule.body) if _read(d, needed))
            if body:
                kept.append(Rule(rule.prelude, body))
        else:
            kept.append(rule)
    return tuple(kept)


def _declarations(body: str) -> list[str]:
    declarations = []
    begin = 0
    for token in _TOKEN.finditer(body):
        if token.group() == ";":
            declarations.append(body[begin : token.start()].strip())
            begin = token.end()
    declarations.append(body[begin:].strip())
    return [one for one in declarations if one]


def _read(declaration: str, needed: set[str]) -> bool:
    name = declaration.partition(":")[0].strip()
    return not name.startswith("--") or name in needed


def _write(rule: Rule) -> str:
    if rule.grouping:
        return f"{rule.prelude}{{{''.join(map(_write, rule.children))}}}"
    return f"{rule.prelude};" if rule.body is None else f"{rule.prelude}{{{rule.body}}}"


def squeeze(css: str) -> str:
    """Return a style sheet of our own without comments and needless white space; strings stay as they are."""
    out: list[str] = []
    for part in re.split(rf"({_STRING}|/\*.*?\*/)", css, flags=re.DOTALL):
        if part.startswith("/*"):
            if part.startswith("/*!"):
                out.append(part)
        elif part[:1] in {'"', "'"}:
            out.append(part)
        else:
            out.append(re.sub(r"\s*([{};,])\s*", r"\1", re.sub(r"\s+", " ", part)))
    return "".join(out).replace(";}", "}").strip() + "\n"
