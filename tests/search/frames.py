"""What stands in frames that pages are sent."""


def revised(topic: str, number: int) -> dict:
    return {"topic": topic, "revision": number}
