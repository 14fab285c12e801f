"""How the demo tells its steps: for people, or one JSON object for each."""

import json

from rich.console import Console
from rich.panel import Panel
from rich.text import Text

from gateway.demo.scenario import Step


class JsonReport:
    """One JSON object a line."""

    def step(self, step: Step) -> None:
        """Print *step*."""
        line = {"step": step.step, "state": step.state, "drafts": step.drafts, "chat": step.chat}
        print(json.dumps(line, ensure_ascii=False), flush=True)  # noqa: T201 - this is the command's output

    def note(self, text: str) -> None:
        """Say nothing: what is printed is for machines."""


class PeopleReport:
    """Steps in words, with the chat as the user sees it; plain where there is no terminal."""

    def __init__(self) -> None:
        self._console = Console(highlight=False, soft_wrap=True)
        self._number = 0

    def step(self, step: Step) -> None:
        """Print *step*."""
        self._number += 1
        self._console.print(f"\n[bold]{self._number}. {step.step}[/bold]")
        self._console.print(f"   state   {step.state}")
        for feature, draft in step.drafts.items():
            self._console.print(Text(f"   draft   {feature}: {json.dumps(draft)}"))
        for message in step.chat:
            self._console.print(Text(f"   {'bot ' if message['from_bot'] else 'user'}    {_words(message)}"))
        self._console.print(f"   [green]checked[/green] {', '.join(dict.fromkeys(step.checked))}")

    def note(self, text: str) -> None:
        """Print *text*, apart."""
        if self._console.is_terminal:
            self._console.print(Panel(Text(text), expand=False))
        else:
            self._console.print(Text(f"\n{text}"))


def _words(message: dict[str, object]) -> str:
    keyboard = message["keyboard"]
    rows = keyboard if isinstance(keyboard, list) else []
    buttons = "".join(f"  [ {button['text']} ]" for row in rows for button in row)
    return f"{message['text']}{buttons}"
