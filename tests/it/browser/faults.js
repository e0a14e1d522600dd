// What a page must have whatever it shows; gives a line for each fault.
const faults = [];
const wide = document.documentElement.scrollWidth;
if (wide > innerWidth) faults.push(`${wide} wide in a window of ${innerWidth}`);
const shown = (element) => element.getClientRects().length > 0;
for (const button of document.querySelectorAll("button, a"))
    if (shown(button) && !(button.textContent.trim() || button.ariaLabel)) faults.push(`no name: ${button.outerHTML}`);
for (const input of document.querySelectorAll("input"))
    if (shown(input) && !input.labels.length && !input.ariaLabel) faults.push(`no label: ${input.outerHTML}`);
for (const image of document.querySelectorAll("img"))
    if (shown(image) && !(image.alt && image.complete && image.naturalWidth)) faults.push(`an image without text or content: ${image.src.slice(0, 80)}`);
for (const head of document.querySelectorAll("h1"))
    if (shown(head) && !head.textContent.trim()) faults.push("an empty heading");
const elsewhere = performance.getEntriesByType("resource").map((entry) => entry.name).filter((name) => !name.startsWith(location.origin) && !name.startsWith("data:"));
return faults.concat(elsewhere.map((name) => `loads ${name}`));
