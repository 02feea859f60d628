"""Access ends while mails are leaving: what is still waiting is withdrawn.

That none leaves once the removal is confirmed, moment by moment, is tested where time
can be stopped; here the removal meets real processes, queues and a mail server.
"""

from tests.journeys.scenario import Scenario

BURST = 20


def test_a_partner_is_withdrawn_in_the_middle_of_a_burst(scenario: Scenario) -> None:
    scenario.follow("nat", "nia", "sam")
    posted = [
        scenario.post("ivy", scenario.broadcast, f"message {number}")
        for number in range(BURST)
    ]
    scenario.withdraw("north")
    later = [
        scenario.post("ivy", scenario.broadcast, f"later {number}")
        for number in range(5)
    ]
    mailed = [
        (str(mail["To"].addresses[0].username), mail.get_body(("plain",)))
        for mail in scenario.mails()
    ]
    texts = [body.get_content() for who, body in mailed if body and who != "sam"]
    assert not [text for text in texts if "later" in text]
    assert sum(who == "sam" for who, _ in mailed) == BURST + len(later)
    notified = [
        person
        for message in posted
        for person in scenario.explained(message.id)
        if person.person in {"nat", "nia"} and person.told
    ]
    ends = {(person.state, person.transitions[-1].reason) for person in notified}
    assert ends <= {("sent", "accepted"), ("suppressed", "no_access")}
    assert len(texts) == sum(person.state == "sent" for person in notified)
