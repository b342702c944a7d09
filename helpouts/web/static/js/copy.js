// Buttons that copy what a field holds: data-copy is the field's id, data-copied is said in [data-copy-status],
// that of the same [data-copy-area] where a page has several.

for (const button of document.querySelectorAll("[data-copy]")) {
  button.hidden = false;
  button.addEventListener("click", async () => {
    const field = document.getElementById(button.dataset.copy);
    field.select();
    try {
      await navigator.clipboard.writeText(field.value);
    } catch {
      document.execCommand("copy"); // plain http has no clipboard
    }
    const area = button.closest("[data-copy-area]") ?? document;
    area.querySelector("[data-copy-status]").textContent = button.dataset.copied;
  });
}
