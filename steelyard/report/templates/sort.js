addEventListener("beforeprint", () => {
  for (const each of document.querySelectorAll("details")) each.open = true;
});
for (const table of document.querySelectorAll("table.sortable")) {
  const body = table.tBodies[0];
  table.querySelectorAll("thead th").forEach((head, column) => {
    if (!head.textContent.trim()) return;
    const button = document.createElement("button");
    button.type = "button";
    button.append(...head.childNodes);
    head.append(button);
    button.addEventListener("click", () => {
      const up = head.getAttribute("aria-sort") !== "ascending";
      table.querySelectorAll("th").forEach((other) => other.removeAttribute("aria-sort"));
      head.setAttribute("aria-sort", up ? "ascending" : "descending");
      const value = (row) => row.cells[column].dataset.sort ?? row.cells[column].textContent.trim();
      const order = (a, b) => value(a).localeCompare(value(b), undefined, { numeric: true });
      const number = (a, b) => Number(value(a)) - Number(value(b));
      const rows = [...body.rows];
      const known = rows.filter((row) => row.cells[column].dataset.sort !== undefined);
      const last = known.length ? rows.filter((row) => !known.includes(row)) : [];
      const sorted = (known.length ? known : rows).sort(known.length ? number : order);
      body.append(...(up ? sorted : sorted.reverse()), ...last);
    });
  });
}
