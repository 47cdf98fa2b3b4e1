"""Train in a browser: start, close the page, come back by its address, stop, use the model."""

from playwright.sync_api import Page, expect

from tests.browser.server import Server


def test_a_job_outlives_its_page_and_its_model_is_used_everywhere(page: Page, server: Server):
    page.goto(server.url)
    page.get_by_role("button", name="Start with the demo cohort").click()
    expect(page.get_by_role("heading", name="Latent space")).to_be_visible(timeout=30_000)
    page.get_by_role("link", name="Train").click()
    page.get_by_text("All settings").click()
    epochs = page.get_by_role("spinbutton", name="Epochs")
    epochs.fill("5000")
    epochs.press("Tab")
    expect(page.get_by_text("About 60 seconds at most.")).to_be_visible()
    page.get_by_role("button", name="Train", exact=True).click()
    expect(page.get_by_role("heading", name="Training: Demo-cohort")).to_be_visible(timeout=30_000)
    expect(page.get_by_role("progressbar")).to_be_visible()

    page.reload()
    expect(page.get_by_text("No people loaded")).to_be_visible(timeout=30_000)
    expect(page.get_by_text("Epoch", exact=False).first).to_be_visible(timeout=30_000)
    page.get_by_role("button", name="Stop and keep the best so far").click()
    stopped = page.get_by_role("heading", name="Stopped by you: Demo-cohort")
    expect(stopped).to_be_visible(timeout=90_000)

    page.get_by_role("button", name="Use this model on every page").click()
    expect(page.get_by_text("Every page now shows this model.")).to_be_visible()
    page.get_by_role("link", name="Counterfactual").click()
    expect(page.get_by_role("heading", name="Counterfactual", exact=True)).to_be_visible()
    expect(page.get_by_role("combobox", name="Model")).to_have_value("Demo-cohort")
    assert "job=" not in page.url
