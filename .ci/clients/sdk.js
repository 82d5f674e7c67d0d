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
