// Buttons that copy what a field holds: data-copy is the field's id, data-copied is said in [data-copy-status].

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
    document.querySelector("[data-copy-status]").textContent = button.dataset.copied;
  });
}
