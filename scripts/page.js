// What a person does with report.html, and what must not happen meanwhile. Called by check-page.
"use strict";
const fs = require("fs");
const path = require("path");
const { chromium } = require("playwright-core");
const axe = fs.readFileSync(require.resolve("axe-core/axe.min.js"), "utf8");

const [browserPath, folder] = process.argv.slice(2);
let failures = 0;
function expect(holds, what) {
  console.log(`${holds ? "ok     " : "FAILED "} ${what}`);
  if (!holds) failures += 1;
}

async function open(browser, file, options) {
  const context = await browser.newContext({ viewport: { width: 1280, height: 900 }, ...options });
  await context.grantPermissions(["clipboard-read", "clipboard-write"]);
  const page = await context.newPage();
  const seen = { errors: [], requests: [] };
  page.on("console", (message) => { if (["error", "warning"].includes(message.type())) seen.errors.push(message.text()); });
  page.on("pageerror", (error) => seen.errors.push(error.message));
  page.on("request", (request) => seen.requests.push(request.url()));
  const url = "file://" + path.resolve(folder, file);
  const start = Date.now();
  await page.goto(url);
  await page.locator(".row").first().waitFor();
  seen.opened = Date.now() - start;
  seen.url = url;
  return { page, seen, context };
}
const names = (page) => page.locator(".open").allTextContents();

// The time from the event to the next painted frame, in the page's own clock.
const timed = (page, action) => page.evaluate(async (action) => {
  const start = performance.now();
  if (action.click) document.querySelectorAll(action.click)[action.at || 0].click();
  if (action.type !== undefined) {
    const find = document.querySelector("#find");
    find.value = action.type;
    find.dispatchEvent(new Event("input", { bubbles: true }));
  }
  await new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)));
  return performance.now() - start;
}, action);

async function samples(browser) {
  const { page, seen, context } = await open(browser, "samples.html");
  const all = await names(page);
  expect(all.length === 14, `14 roles are shown (${all.length})`);
  await page.getByRole("button", { name: "Role", exact: true }).click();
  const sorted = await names(page);
  expect(JSON.stringify(sorted) === JSON.stringify([...all].sort()), "sorted by name");
  await page.getByRole("button", { name: "Role" }).first().click();
  expect((await names(page))[0] === sorted[sorted.length - 1], "and the other way round");
  expect(await page.locator("th[aria-sort=descending]").count() === 1, "the sort is told to assistive technology");
  await page.keyboard.press("/");
  await page.keyboard.type("order-proc");
  await page.waitForFunction(() => document.querySelectorAll(".open").length === 1);
  expect((await names(page))[0] === "order-processor-role", "filtered by typing after /");
  await page.keyboard.press("Escape");
  await page.waitForFunction(() => document.querySelectorAll(".open").length === 14);
  await page.locator(".chip.review").click();
  expect((await names(page)).length === 5, "filtered by status");
  await page.locator(".chip.review").click();
  const role = page.locator(".open", { hasText: "order-processor-role" });
  await role.focus();
  await page.keyboard.press("Enter");
  expect(await role.getAttribute("aria-expanded") === "true", "opened by keyboard");
  const detail = page.locator("tr.detail");
  const text = await detail.innerText();
  for (const part of ["no new access, proven", "Last uses in the window", "Evidence for what stays", "closed 39", "iam:"]) expect(text.includes(part), `the detail has: ${part}`);
  const copy = async (name) => {
    await page.getByRole("button", { name }).click();
    await page.getByRole("button", { name: "Copied" }).first().waitFor();
  };
  await copy("Copy policy");
  const copied = JSON.parse(await page.evaluate(() => navigator.clipboard.readText()));
  expect(copied.Statement.length === 3 && copied.Statement[0].Action.includes("dynamodb:GetItem"), "the policy is copied");
  await page.getByRole("button", { name: "Copied" }).first().waitFor({ state: "detached" });
  await copy("Copy commands");
  const commands = await page.evaluate(() => navigator.clipboard.readText());
  expect(commands.startsWith("aws iam put-role-policy") && commands.includes("111122223333/order-processor-role/policy.json"), "the commands are copied");
  await page.locator("#visibility summary").click();
  expect((await page.locator("#visible").innerText()).includes("AWS::S3::Object"), "what the trail can show is told");
  for (const scheme of ["light", "dark"]) {
    await page.emulateMedia({ colorScheme: scheme });
    await page.evaluate(axe);
    const found = await page.evaluate(() => window.axe.run({ resultTypes: ["violations"] }));
    const serious = found.violations.filter((v) => ["serious", "critical"].includes(v.impact));
    expect(serious.length === 0, `axe finds nothing serious, ${scheme} (${found.violations.map((v) => v.id).join(", ") || "nothing at all"})`);
    for (const v of serious) console.log("        " + v.id + ": " + v.nodes.slice(0, 3).map((n) => n.html.slice(0, 120) + " " + (n.any[0]?.message || "")).join("\n        "));
  }
  await page.emulateMedia({ media: "print" });
  await page.pdf({ path: path.join(folder, "samples.pdf") });
  expect(fs.statSync(path.join(folder, "samples.pdf")).size > 20000, "printed");
  expect(seen.errors.length === 0, "no console error " + seen.errors.join(" | "));
  expect(seen.requests.every((url) => url === seen.url), "no outside request");
  await context.close();
  for (const width of [1280, 390]) for (const colorScheme of ["light", "dark"]) {
    const shot = await open(browser, "samples.html", { viewport: { width, height: 900 }, colorScheme });
    await shot.page.locator(".open", { hasText: "pipeline-starter-role" }).click();
    await shot.page.screenshot({ path: path.join(folder, `samples-${width}-${colorScheme}.png`), fullPage: true });
    const wide = await shot.page.evaluate(() => document.documentElement.scrollWidth);
    expect(wide <= width, `nothing sticks out at ${width} pixels, ${colorScheme} (${wide})`);
    await shot.context.close();
  }
}

async function many(browser, count) {
  const file = `${count}.html`;
  const size = fs.statSync(path.join(folder, file)).size;
  if (count === 500) expect(size < 3_000_000, `500 roles take ${(size / 1e6).toFixed(2)} MB, less than 3`);
  else console.log(`        ${count} roles take ${(size / 1e6).toFixed(2)} MB`);
  const { page, seen, context } = await open(browser, file);
  // Timings are told, not judged: other work on the machine must not fail this.
  console.log(`        opened in ${seen.opened} ms`);
  expect((await page.locator("#said").textContent()).startsWith(count === 500 ? "500" : "5,000"), `${count} roles are there`);
  const steps = {
    sort: { click: "#heads button", at: 2 }, "sort by name": { click: "#heads button", at: 0 }, filter: { type: "team-07" }, "filter away": { type: "" },
    status: { click: ".chip" }, "status away": { click: ".chip" }, expand: { click: ".open" }, collapse: { click: ".open" },
  };
  for (const [name, action] of Object.entries(steps)) {
    const times = [];
    for (let i = 0; i < (name.includes("away") || ["expand", "collapse", "status", "filter"].includes(name) ? 1 : 3); i += 1) times.push(await timed(page, action));
    console.log(`        ${name}: ${Math.round(Math.min(...times))} ms`);
  }
  await page.fill("#find", "service-00042");
  await page.waitForFunction(() => document.querySelectorAll(".open").length === 1);
  expect((await names(page))[0] === "team-02-service-00042-execution-role", "a role is found");
  expect(seen.errors.length === 0, "no console error " + seen.errors.join(" | "));
  expect(seen.requests.every((url) => url === seen.url), "no outside request");
  await context.close();
}

(async () => {
  const browser = await chromium.launch({ executablePath: browserPath, args: process.getuid() === 0 ? ["--no-sandbox"] : [] });
  await samples(browser);
  await many(browser, 500);
  await many(browser, 5000);
  await browser.close();
  process.exit(failures ? 1 : 0);
})().catch((error) => { console.error(error); process.exit(1); });
