
"use strict";
(() => {
const $ = (id) => document.getElementById(id);
const read = (id) => JSON.parse($(id).textContent);
const run = read("overview");
const SVG = "http://www.w3.org/2000/svg";
const PAGE = 100;
const STATUSES = ["refused", "review", "ready", "unchanged"];

// Everything that is shown goes through here: text is text, never markup.
function el(name, attributes, ...children) {
  const node = document.createElement(name);
  for (const [key, value] of Object.entries(attributes || {})) {
    if (value === null || value === undefined || value === false) continue;
    if (key === "on") for (const [event, f] of Object.entries(value)) node.addEventListener(event, f);
    else node.setAttribute(key, value === true ? "" : value);
  }
  node.append(...children.flat().filter((child) => child !== null && child !== undefined));
  return node;
}
function svg(name, attributes, ...children) {
  const node = document.createElementNS(SVG, name);
  for (const [key, value] of Object.entries(attributes || {})) node.setAttribute(key, value);
  node.append(...children);
  return node;
}
const number = (n) => n.toLocaleString("en-US");
const counted = (n, one) => `${number(n)} ${one}${n === 1 ? "" : "s"}`;
const MONTHS = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];
function day(time) {
  if (!time) return "?";
  const [year, month, date] = time.slice(0, 10).split("-");
  return `${Number(date)} ${MONTHS[Number(month) - 1] || month} ${year}`;
}
const minute = (time) => (time ? time.slice(0, 16).replace("T", " ") : "");

// ── The run ────────────────────────────────────────────────────────────────────────────────────────
const roles = run.roles.map((r, index) => ({
  index, name: r[0], account: r[1], status: r[2], before: r[3], after: r[4], sensitive: r[5],
  sensitiveAfter: r[6], characters: r[7], charactersAfter: r[8], unseen: r[9], functions: r[10],
  folder: r[11], find: (r[0] + " " + r[1]).toLowerCase(), open: false,
}));
const count = (status) => roles.reduce((n, role) => n + (role.status === status), 0);
const [listed, got, skipped, failed] = run.objects;
$("sub").textContent = `${counted(run.records[0], "record")} from ${day(run.window[0])} to ${day(run.window[1])}, in ${number(got)} of ${number(listed)} log objects`
  + (skipped || failed ? ` (${number(skipped)} skipped, ${number(failed)} failed)` : "") + ".";
$("foot").textContent = `rolefit ${run.version}, catalog ${run.catalog.split(" ")[0]}. A proposal allows nothing that the current policies do not, and every authorised call seen in the window.`;

function sums(before, after) {
  const with_proposal = roles.filter((role) => role[after] !== null);
  return [with_proposal.reduce((n, r) => n + r[before], 0), with_proposal.reduce((n, r) => n + r[after], 0)];
}
function figure(label, before, after, rest) {
  const less = before > 0 ? Math.round((1 - after / before) * 1000) / 10 : 0;
  return el("div", { class: "card" },
    el("p", { class: "label" }, label),
    el("p", { class: "figure" }, el("span", { class: "was" }, number(before) + " → "), number(after)),
    el("p", { class: "label" }, before > 0 ? `${less} % less` + rest : "nothing to compare"));
}
function statusCard() {
  const bar = svg("svg", { viewBox: "0 0 1000 12", preserveAspectRatio: "none", height: "12", "aria-hidden": "true" });
  let x = 0;
  for (const status of STATUSES) {
    const width = roles.length ? (count(status) / roles.length) * 1000 : 0;
    if (width) bar.append(svg("rect", { x, y: 0, width: Math.max(width - 3, 2), height: 12, rx: 3, class: "f-" + status }));
    x += width;
  }
  bar.style.height = "12px";
  const words = { refused: "refused", review: "to review", ready: "ready", unchanged: "unchanged" };
  return el("div", { class: "card" },
    el("p", { class: "label" }, "Status of proposals"),
    el("p", { class: "figure" }, counted(roles.length, "role")), bar,
    el("div", { class: "legend" }, STATUSES.map((status) =>
      el("span", {}, el("span", { class: "dot " + status }), el("b", {}, number(count(status))), " " + words[status]))));
}
$("cards").append(statusCard(),
  figure("Allowed actions, all roles", ...sums("before", "after"), ""),
  figure("Sensitive among them", ...sums("sensitive", "sensitiveAfter"), ""));
for (const [code, message] of run.notes.slice(0, 8)) $("notes").append(el("p", { class: "note" }, el("b", {}, code + ": "), message));
if (run.notes.length > 8) $("notes").append(el("p", { class: "note" }, `and ${run.notes.length - 8} more, in report.json`));

// ── Reduction: where the most goes ─────────────────────────────────────────────────────────────────
function reduction() {
  const box = $("chart");
  const list = roles.filter((role) => role.after !== null && role.before > role.after)
    .sort((a, b) => (b.before - b.after) - (a.before - a.after) || a.index - b.index).slice(0, 12);
  box.replaceChildren(el("h2", {}, "Allowed actions, before and after"));
  if (!list.length) { box.append(el("p", { class: "label" }, "No proposal removes an action.")); return; }
  box.append(el("p", { class: "label" }, (list.length < roles.length ? `The ${list.length} roles with the largest reduction. ` : "") + "Logarithmic scale."));
  const width = Math.max(box.clientWidth - 42, 260);
  const names = Math.min(250, Math.round(width * 0.36));
  const right = 96;
  const line = 24;
  const height = list.length * line + 26;
  const most = Math.max(...list.map((role) => role.before), 10);
  const x = (n) => names + (Math.log10(Math.max(n, 1)) / Math.log10(most)) * (width - names - right);
  const picture = svg("svg", { viewBox: `0 0 ${width} ${height}`, role: "img", "aria-label": list.map((r) => `${r.name}: from ${number(r.before)} to ${number(r.after)} allowed actions`).join("; ") });
  for (let n = 1; n <= most; n *= 10) {
    picture.append(svg("line", { x1: x(n), x2: x(n), y1: 0, y2: height - 20, class: "grid" }),
      svg("text", { x: x(n), y: height - 5, "text-anchor": "middle" }, number(n)));
  }
  list.forEach((role, at) => {
    const y = at * line + 13;
    const fit = Math.floor(names / 7.2);
    const name = role.name.length > fit ? role.name.slice(0, fit - 1) + "…" : role.name;
    picture.append(svg("text", { x: 0, y: y + 4, class: "name" }, name),
      svg("line", { x1: x(role.after), x2: x(role.before), y1: y, y2: y, class: "way" }),
      svg("circle", { cx: x(role.before), cy: y, r: 4.5, class: "from" }),
      svg("circle", { cx: x(role.after), cy: y, r: 5, class: "to" }),
      svg("text", { x: x(role.before) + 10, y: y + 4 }, `${number(role.before)} → ${number(role.after)}`));
  });
  box.append(picture);
}

// ── Visibility ─────────────────────────────────────────────────────────────────────────────────────
function visibility() {
  const yes = (holds) => (holds ? "seen" : "none seen");
  $("visible").append(
    el("p", { class: "label" }, "Silence is only taken for absence where an event would be in these logs. Everything else is kept."),
    el("div", { class: "inner" }, el("table", {},
      el("thead", {}, el("tr", {}, ["Account", "Region", "From", "To", "Days", "Management reads", "Management writes", "Data events of", "Unread"].map((h) => el("th", { scope: "col" }, h)))),
      el("tbody", {}, run.places.map(([account, region, from, to, days, reads, writes, types, unread]) =>
        el("tr", {}, [account, region, day(from), day(to), number(days), yes(reads), yes(writes)].map((cell) => el("td", {}, cell)),
          el("td", {}, types.length ? types.map((t) => el("code", {}, t)) : "none seen"),
          el("td", {}, unread ? counted(unread, "object") : "0"))))))); 
  if (run.places_all > run.places.length) $("visible").append(el("p", { class: "label" }, `and ${run.places_all - run.places.length} more, in report.json`));
  if (run.unseen.length) {
    $("visible").append(el("h3", {}, "Why access is kept unseen"), el("ul", { class: "list" },
      run.unseen.map(([reason, of, actions]) => el("li", {}, reason, el("span", { class: "quietly" }, ` (${counted(actions, "action")} of ${counted(of, "role")})`)))));
  }
}

// ── The table ──────────────────────────────────────────────────────────────────────────────────────
const reduced = (role) => (role.after === null ? -1 : role.before - role.after);
const COLUMNS = [
  ["Role", "c-role", (a, b) => a.name.localeCompare(b.name, "en") || a.account.localeCompare(b.account, "en")],
  ["Status", "c-status", (a, b) => STATUSES.indexOf(a.status) - STATUSES.indexOf(b.status)],
  ["Allowed actions", "num", (a, b) => b.before - a.before],
  ["Stays", "cut", (a, b) => reduced(b) - reduced(a)],
  ["Sensitive", "num", (a, b) => b.sensitive - a.sensitive],
  ["Characters", "num c-few", (a, b) => b.characters - a.characters],
  ["Kept unseen", "num c-few", (a, b) => b.unseen - a.unseen],
];
const state = { sort: 1, down: false, find: "", status: new Set(), shown: PAGE };
let current = [];

function arrow(before, after, label, few) {
  return el("td", { class: "num" + (few ? " c-few" : ""), "data-label": label },
    after === null ? number(before) : [el("span", { class: "was" }, number(before) + " → "), number(after)]);
}
function share(role) {
  const cell = el("td", { class: "cut" });
  if (role.after === null || !role.before) return cell;
  const part = (role.after / role.before) * 100;
  cell.append(svg("svg", { viewBox: "0 0 100 8", preserveAspectRatio: "none", role: "img", "aria-label": `${Math.round(part)} % of the allowed actions stay` },
    svg("rect", { x: 0, y: 0, width: 100, height: 8, class: "base" }), svg("rect", { x: 0, y: 0, width: Math.max(part, 1.5), height: 8, class: "left" })));
  return cell;
}
function row(role) {
  const button = el("button", { type: "button", class: "open", "aria-expanded": String(role.open), "aria-controls": "detail-" + role.index }, role.name);
  const line = el("tr", { class: "row", id: "row-" + role.index },
    el("th", { scope: "row", class: "c-role" }, button, el("span", { class: "acct" }, role.account)),
    el("td", { class: "c-status" }, el("span", { class: "badge " + role.status }, role.status)),
    arrow(role.before, role.after, "allowed actions"), share(role),
    arrow(role.sensitive, role.sensitiveAfter, "sensitive"), arrow(role.characters, role.charactersAfter, "characters", true),
    el("td", { class: "num c-few", "data-label": "kept unseen" }, role.unseen ? number(role.unseen) : "0"));
  line.addEventListener("click", (event) => {
    if (String(window.getSelection()) && event.target !== button) return;
    toggle(role, line, button);
  });
  return role.open ? [line, detail(role)] : [line];
}
function toggle(role, line, button) {
  role.open = !role.open;
  button.setAttribute("aria-expanded", String(role.open));
  if (role.open) {
    const more = detail(role);
    line.after(more);
    fitTimelines(more);
  } else $("detail-" + role.index)?.remove();
}
function select() {
  const words = state.find.toLowerCase().split(/\s+/).filter(Boolean);
  current = roles.filter((role) => (!state.status.size || state.status.has(role.status)) && words.every((word) => role.find.includes(word)));
  const by = COLUMNS[state.sort][2];
  current.sort((a, b) => (state.down ? -by(a, b) : by(a, b)) || a.index - b.index);
  state.shown = PAGE;
  draw();
  $("said").textContent = `${counted(current.length, "role")} shown`;
}
function draw() {
  const rows = $("rows");
  rows.replaceChildren(...current.slice(0, state.shown).flatMap(row));
  if (!current.length) rows.append(el("tr", {}, el("td", { colspan: COLUMNS.length }, roles.length ? "No role matches the filter." : "No Lambda role was found.")));
  const left = current.length - state.shown;
  $("more").replaceChildren(...(left > 0 ? [`${number(state.shown)} of ${number(current.length)} roles`,
    el("button", { type: "button", class: "quiet", on: { click: () => { more(PAGE); } } }, `Show ${Math.min(PAGE, left)} more`),
    el("button", { type: "button", class: "quiet", on: { click: () => { more(1000); } } }, `Show ${number(Math.min(1000, left))} more`)] : []));
  fitTimelines(rows);
}
function more(n) {
  const from = state.shown;
  state.shown += n;
  $("rows").append(...current.slice(from, state.shown).flatMap(row));
  const rest = state.shown;
  state.shown = rest;
  const left = current.length - rest;
  if (left <= 0) $("more").replaceChildren();
  else { $("more").firstChild.textContent = `${number(rest)} of ${number(current.length)} roles`; }
}
function heads() {
  $("heads").replaceChildren(...COLUMNS.map(([title, kind], at) => {
    const sorted = state.sort === at;
    return el("th", { scope: "col", class: kind, "aria-sort": sorted ? (state.down ? "descending" : "ascending") : null },
      el("button", { type: "button", on: { click: () => {
        if (state.sort === at) state.down = !state.down; else { state.sort = at; state.down = false; }
        heads(); select();
        $("heads").children[at].firstChild.focus();
      } } }, title, el("span", { class: "arrow", "aria-hidden": "true" }, sorted ? (state.down ? "▾" : "▴") : "")));
  }));
}
function chips() {
  $("chips").replaceChildren(...STATUSES.filter(count).map((status) => el("button", {
    type: "button", class: "chip " + status, "aria-pressed": "false",
    on: { click: (event) => {
      const on = !state.status.has(status);
      if (on) state.status.add(status); else state.status.delete(status);
      event.currentTarget.setAttribute("aria-pressed", String(on));
      select();
    } },
  }, el("span", { class: "dot", "aria-hidden": "true" }), `${status} ${number(count(status))}`)));
}

// ── One role ───────────────────────────────────────────────────────────────────────────────────────
function copier(label, text) {
  return el("button", { type: "button", class: "quiet", on: { click: async (event) => {
    const button = event.currentTarget;
    let done = false;
    const copied = await text();
    try { await navigator.clipboard.writeText(copied); done = true; } catch {
      const area = el("textarea", {}, "");
      area.value = copied;
      document.body.append(area);
      area.select();
      try { done = document.execCommand("copy"); } catch { done = false; }
      area.remove();
    }
    button.textContent = done ? "Copied" : "Copy failed";
    $("said").textContent = button.textContent;
    setTimeout(() => { button.textContent = label; }, 1600);
  } } }, label);
}
const rest = (shown, all, what) => (all > shown ? el("p", { class: "label" }, `and ${number(all - shown)} more ${what}, in the folder of the role`) : null);
const named = (list, all) => list.join(", ") + (all > list.length ? ` and ${number(all - list.length)} more` : "");
function section(title, ...children) {
  return el("section", {}, title ? el("h3", {}, title) : null, ...children);
}
function group([services, all, actions, reason, details, names]) {
  return el("li", {}, el("b", {}, all > 3 ? counted(all, "service") : services.join(", ")), `: ${counted(actions, "action")}${reason.startsWith("not used") ? " " : ", "}${reason}`,
    details.length ? el("span", { class: "quietly" }, " (" + details.map(([text, n]) => `${number(n)} ${text}`).join("; ") + ")") : null,
    el("details", {}, el("summary", { class: "quietly" }, "which"), el("code", {}, named(names, actions))));
}
// The policy lies deflated in the data: it is the longest text, and only needed when it is copied.
async function inflated(packed) {
  const bytes = Uint8Array.from(atob(packed), (c) => c.charCodeAt(0));
  return new Response(new Blob([bytes]).stream().pipeThrough(new DecompressionStream("deflate-raw"))).text();
}
function diff(data) {
  const shown = data.diff ? data.diff.split("\n") : [];
  const kind = { "+": "a", "-": "d", "@": "h" };
  return [el("pre", { tabindex: "0", role: "region", "aria-label": "Difference" }, el("code", {}, shown.map((line) => el("span", { class: kind[line[0]] }, line + "\n")))),
    rest(shown.length, data.diff_all, "lines")];
}
function risks(data) {
  const words = { "privilege-escalation": "Privilege escalation", "privilege-escalation-step": "Step of an escalation", "credential-exposure": "Credential exposure", "data-access": "Data access", "resource-exposure": "Resource exposure" };
  const part = (word, kind, [all, names]) => (all ? el("div", {}, el("span", { class: "tag " + kind }, `${word} ${number(all)}`), el("code", {}, named(names, all))) : null);
  return el("ul", { class: "list" }, data.risks.map(([kind, closed, narrowed, open]) => el("li", {}, el("b", {}, words[kind] || kind),
    part("closed", "closed", closed), part("narrowed", "narrowed", narrowed), part("still open", "open-risk", open))));
}
function evidence(data) {
  const heads = ["Action", "Verdict", "Calls", "First and last seen", "Resources that stay", "Why"];
  return [el("div", { class: "inner", tabindex: "0", role: "region", "aria-label": "Evidence" }, el("table", {},
    el("thead", {}, el("tr", {}, heads.map((h) => el("th", { scope: "col", class: h === "Calls" ? "num" : null }, h)))),
    el("tbody", {}, data.evidence.rows.map(([action, verdict, change, calls, first, last, resources, all, reason, functions, events, from]) => el("tr", {},
      el("td", {}, el("code", {}, action)),
      el("td", {}, verdict, el("div", { class: "quietly" }, change)),
      el("td", { class: "num" }, number(calls)),
      el("td", {}, minute(first), last && last !== first ? [el("br"), minute(last)] : null),
      el("td", {}, resources.map((r) => el("code", {}, r)), all > resources.length ? el("span", { class: "quietly" }, `and ${number(all - resources.length)} more`) : null),
      el("td", {}, reason, el("div", { class: "quietly" }, [functions.length ? "by " + functions.join(", ") : "", from.length ? "granted by " + from.join(", ") : ""].filter(Boolean).join("; ")),
        events.length ? el("div", { class: "ids mono" }, events.join(" ")) : null)))))),
    rest(data.evidence.rows.length, data.evidence.all, "actions")];
}
// Where each action was used in the window: a bar from first to last, a point at the last.
function timeline(data) {
  const rows = data.evidence.rows.filter((r) => r[5]).sort((a, b) => (a[5] < b[5] ? 1 : a[5] > b[5] ? -1 : 0)).slice(0, 24);
  if (!rows.length) return null;
  const box = el("div", { class: "timeline" });
  box.rolefit = rows;
  return section("Last uses in the window", box);
}
function fitTimelines(node) {
  for (const box of node.querySelectorAll(".timeline")) {
    const rows = box.rolefit;
    const start = Date.parse(run.window[0] || rows[rows.length - 1][4]);
    const end = Math.max(Date.parse(run.window[1] || rows[0][5]), start + 1);
    const width = Math.max(box.clientWidth, 260);
    const names = Math.min(270, Math.round(width * 0.42));
    const x = (time) => names + ((Math.min(Math.max(Date.parse(time), start), end) - start) / (end - start)) * (width - names - 12);
    const line = 21;
    const height = rows.length * line + 24;
    const picture = svg("svg", { viewBox: `0 0 ${width} ${height}`, role: "img", "aria-label": rows.map((r) => `${r[0]} last used ${minute(r[5])}`).join("; ") });
    const from = new Date(start).toISOString();
    const to = new Date(end).toISOString();
    for (const [time, anchor] of [[from, "start"], [to, "end"]]) {
      picture.append(svg("line", { x1: x(time), x2: x(time), y1: 0, y2: height - 18, class: "grid" }), svg("text", { x: x(time), y: height - 3, "text-anchor": anchor }, day(time)));
    }
    rows.forEach((r, at) => {
      const y = at * line + 11;
      const fit = Math.floor(names / 7);
      const name = r[0].length > fit ? r[0].slice(0, fit - 1) + "…" : r[0];
      const left = x(r[4] || r[5]);
      picture.append(svg("text", { x: 0, y: y + 4, class: "name" }, name),
        svg("rect", { x: left, y: y - 3, width: Math.max(x(r[5]) - left, 1), height: 6, rx: 3, class: "span" }),
        svg("circle", { cx: x(r[5]), cy: y, r: 4.5, class: "to" }));
    });
    picture.style.maxWidth = width + "px";
    box.replaceChildren(picture);
  }
}
function simple(title, list, show) {
  return list.all ? section(title, el("ul", { class: "list" }, list.rows.map((r) => el("li", {}, show(r)))), rest(list.rows.length, list.all, "of these")) : null;
}
function promises(p) {
  if (!p) return null;
  const [contained, allowed, requests, valid, quota, characters, limit] = p;
  const item = (holds, text) => el("li", { class: holds ? "yes" : "no" }, text);
  return el("ul", { class: "checks" }, item(contained, contained ? "no new access, proven" : "no new access: not proven"),
    item(allowed === requests, `${number(allowed)} of ${counted(requests, "seen request")} allowed`), item(valid, "valid actions and ARNs"),
    item(quota, `${number(characters)} of ${number(limit)} characters`));
}
function detail(role) {
  const data = read("role-" + role.index);
  const [removed, narrowed, kept, added] = data.changes;
  const policy = data.policy;
  const reasons = data.reasons.length ? section("Attention", el("ul", { class: "list" }, data.reasons.map(([code, message]) => el("li", {}, el("b", {}, code), ": " + message)))) : null;
  return el("tr", { class: "detail", id: "detail-" + role.index }, el("td", { colspan: COLUMNS.length },
    el("div", { class: "head" }, el("span", { class: "mono" }, data.arn),
      data.functions_all ? el("span", {}, (data.functions_all === 1 ? "function " : "functions ") + named(data.functions, data.functions_all)) : null,
      data.documents.length ? el("span", {}, "today: " + data.documents.map(([name, kind]) => `${name} (${kind})`).join(", ")) : null),
    promises(data.promises), reasons,
    data.promises ? section(`What changes: ${number(removed)} removed, ${number(narrowed)} narrowed, ${number(kept)} kept` + (added ? `, ${number(added)} added` : ""),
      removed + narrowed === 0 && !added ? el("p", { class: "label" }, "Nothing changes in meaning.") : null,
      el("div", { class: "two" },
        data.removed.all ? el("div", {}, el("p", { class: "label" }, "Removed"), el("ul", { class: "list" }, data.removed.rows.map(group)), rest(data.removed.rows.length, data.removed.all, "groups")) : null,
        data.unseen.all ? el("div", {}, el("p", { class: "label" }, "Kept, because the trail cannot show it"), el("ul", { class: "list" }, data.unseen.rows.map(group)), rest(data.unseen.rows.length, data.unseen.all, "groups")) : null)) : null,
    data.promises && data.risks.length ? section("Risk", risks(data)) : null,
    data.diff_all || policy ? el("section", {}, el("div", { class: "tools" }, el("h3", {}, "Policy, today and proposed"),
      policy ? copier("Copy policy", () => inflated(policy)) : null,
      data.steps.length ? copier("Copy commands", () => data.steps.join("\n").replaceAll("file://", `file://${role.folder}/`) + "\n") : null), data.diff_all ? diff(data) : null) : null,
    timeline(data),
    data.evidence.all ? section(data.promises ? "Evidence for what stays" : "Seen in the trail", ...evidence(data)) : null,
    simple("Denied calls", data.denied, ([action, resource, n, door, message]) => [el("code", {}, action), " on ", el("code", {}, resource), ` ${counted(n, "time")}, by ${door}`, message ? el("div", { class: "quietly" }, message) : null]),
    simple("Needed by the configuration, not granted today", data.missing, ([action, resource, feature, f]) => [el("code", {}, action), " on ", el("code", {}, resource), `: ${feature} of ${f}`]),
    simple("Allowed by other policies than the role's own", data.elsewhere, ([action, resource]) => [el("code", {}, action), " on ", el("code", {}, resource)]),
    simple("Events that no rule maps", data.unmapped, ([source, name, n]) => [el("code", {}, name), ` of ${source}, ${counted(n, "time")}`])));
}

// ── Keys, theme, print ─────────────────────────────────────────────────────────────────────────────
let typing = 0;
$("find").addEventListener("input", (event) => {
  state.find = event.target.value;
  cancelAnimationFrame(typing);
  typing = requestAnimationFrame(select);
});
document.addEventListener("keydown", (event) => {
  const field = event.target.closest("input,textarea,select");
  if (event.key === "Escape" && field === $("find")) { field.value = ""; state.find = ""; select(); return; }
  if (field || event.ctrlKey || event.metaKey || event.altKey) return;
  if (event.key === "/") { event.preventDefault(); $("find").focus(); }
  if (event.key === "j" || event.key === "k") {
    const buttons = [...document.querySelectorAll(".open")];
    const at = buttons.indexOf(document.activeElement);
    buttons[Math.min(Math.max(at + (event.key === "j" ? 1 : -1), 0), buttons.length - 1)]?.focus();
  }
});
function openAll(most) {
  let n = 0;
  for (const role of current.slice(0, state.shown)) if (n++ < most) role.open = true;
  draw();
}
$("all").addEventListener("click", () => {
  const any = current.some((role) => role.open);
  if (any) { for (const role of roles) role.open = false; draw(); } else openAll(25);
  $("all").textContent = any ? "Expand shown" : "Collapse all";
});
const THEMES = ["system", "light", "dark"];
let theme = 0;
$("theme").addEventListener("click", () => {
  theme = (theme + 1) % 3;
  if (theme) document.documentElement.dataset.theme = THEMES[theme]; else delete document.documentElement.dataset.theme;
  $("theme").textContent = "Theme: " + THEMES[theme];
});
window.addEventListener("beforeprint", () => { $("visibility").open = true; if (!current.some((role) => role.open)) openAll(25); });
let resizing = 0;
let seen = window.innerWidth;
window.addEventListener("resize", () => {
  if (window.innerWidth === seen) return;
  seen = window.innerWidth;
  cancelAnimationFrame(resizing);
  resizing = requestAnimationFrame(() => { reduction(); fitTimelines(document); });
});

reduction();
visibility();
heads();
chips();
select();
const wanted = decodeURIComponent(location.hash.slice(1));
const linked = roles.find((role) => role.folder === wanted);
if (linked) {
  linked.open = true;
  state.shown = Math.max(PAGE, current.indexOf(linked) + 1);
  draw();
  $("row-" + linked.index)?.scrollIntoView();
}
})();
