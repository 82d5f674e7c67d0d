// A page without a server of its own: @globus/sdk signs people in, with PKCE, and
// calls Globus from the browser. Its config.js says where Globus is, by the names
// that the SDK reads from window.

const manager = globus.authorization.create({
	client: CLIENT_ID,
	redirect: location.origin + "/",
	scopes: globus.transfer.CONFIG.SCOPES.ALL,
	useRefreshTokens: true,
	storage: localStorage,
});

const say = (...words) => { document.getElementById("said").textContent = words.join("\n"); };

const onClick = (id, f) => document.getElementById(id).addEventListener("click", () => f().catch((err) => say("failed", err)));

async function show() {
	const headers = { Authorization: "Bearer " + manager.tokens.auth.access_token };
	const person = await (await globus.auth.oauth2.userinfo({ headers })).json();
	const tasks = await (await globus.transfer.task.getAll({ manager, query: { limit: 3 } })).json();
	say("signed in as " + person.preferred_username, "by the ID token: " + manager.user.name, tasks.length + " tasks");
}

// list shows a folder, or goes to Globus for what the collection wants first.
async function list(collection) {
	const answer = await globus.transfer.fileOperations.ls(collection, { manager, query: { path: "/" } });
	const body = await answer.json();
	if (answer.ok) {
		say("files", ...body.DATA.map((file) => file.name));
		return;
	}
	await manager.handleErrorResponse(body);
}

// Where the SDK posts a document, it reads the manager from its second argument alone.

// send copies a file from one collection to the other, twice by the same submission
// id, as after a lost answer. It returns the id of the task.
async function send(name) {
	const { value } = await (await globus.transfer.taskSubmission.submissionId({ manager })).json();
	const payload = {
		submission_id: value,
		source_endpoint: WANTS_CONSENT,
		destination_endpoint: WANTS_SESSION,
		verify_checksum: true,
		DATA: [{ DATA_TYPE: "transfer_item", source_path: "/" + name, destination_path: "/new/" + name }],
	};
	const first = await (await globus.transfer.taskSubmission.submitTransfer({ payload }, { manager })).json();
	const second = await (await globus.transfer.taskSubmission.submitTransfer({ payload }, { manager })).json();
	say(first.code, second.code, first.task_id === second.task_id ? "one task" : "two tasks");
	return first.task_id;
}

// watch waits until a task has ended.
async function watch(id) {
	const task = await (await globus.transfer.task.get(id, { manager })).json();
	if (task.status === "ACTIVE") {
		return new Promise((resolve) => setTimeout(resolve, 100)).then(() => watch(id));
	}
	const events = await (await globus.transfer.task.getEventList(id, { manager })).json();
	return [task.status, task.files_transferred + " files", ...events.DATA.map((event) => event.code)];
}

onClick("send", async () => {
	const told = await watch(await send("compiler.tape"));
	const listed = await (await globus.transfer.fileOperations.ls(WANTS_SESSION, { manager, query: { path: "/new/" } })).json();
	say(...told, ...listed.DATA.map((file) => file.name));
});
onClick("cancel", async () => {
	const id = await send("large.tape");
	const answer = await (await globus.transfer.task.cancel(id, { manager })).json();
	say(answer.code, ...await watch(id));
});
onClick("find", async () => {
	const found = await (await globus.transfer.endpointSearch({ manager, query: { filter_fulltext: "wants ident" } })).json();
	const one = await (await globus.transfer.endpoint.get(found.DATA[0].id, { manager })).json();
	const made = await (await globus.transfer.fileOperations.mkdir(WANTS_SESSION, { payload: { path: "/made" } }, { manager })).json();
	const renamed = await (await globus.transfer.fileOperations.rename(WANTS_SESSION, { payload: { old_path: "/made", new_path: "/renamed" } }, { manager })).json();
	say(one.display_name, one.entity_type, made.code, renamed.code);
});

onClick("search", async () => {
	const found = await (await globus.search.query.get(INDEX, { query: { q: "peat", limit: "2" } })).json();
	const facets = [{ name: "year", type: "date_histogram", field_name: "taken", date_interval: "year" }];
	const counted = await (await globus.search.query.post(INDEX, { payload: { "@version": "query#1.0.0", q: "*", limit: 1, facets } })).json();
	say("found " + found.count, "of " + counted.total, "in " + counted.facet_results[0].buckets.length + " years");
});

onClick("login", () => manager.login());
onClick("consent", () => list(WANTS_CONSENT));
onClick("session", () => list(WANTS_SESSION));
onClick("refresh", async () => {
	const before = manager.tokens.getAll().map((token) => token.access_token);
	await manager.refreshTokens();
	const after = manager.tokens.getAll().map((token) => token.access_token);
	const tasks = await (await globus.transfer.task.getAll({ manager })).json();
	say(tasks.length + " tasks", before.length + " tokens, " + after.filter((token) => !before.includes(token)).length + " new");
});
onClick("logout", async () => {
	await manager.revoke();
	say("signed out");
});

(async () => {
	if (new URLSearchParams(location.search).has("code")) {
		await manager.handleCodeRedirect({ shouldReplace: false });
		history.replaceState(null, "", "/");
	}
	if (manager.authenticated) {
		await show();
	}
})().catch((err) => say("failed", err));
