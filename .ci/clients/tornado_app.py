"""A Tornado app that does what the Tornado example of Globus's integration guide
does: /login starts the flow and receives the callback, / shows who signed in,
/logout forgets them. Like the example it sends neither state nor a PKCE challenge,
and its secret in the form. Beyond it, /transfers uses the token for Globus
Transfer, /refresh its refresh token, and /logout revokes both tokens.

    GLOBUS_URL=… CLIENT_ID=… CLIENT_SECRET=… PORT=… python3 tornado_app.py
"""

import os
import secrets
import time
import urllib.parse

import tornado.auth
import tornado.escape
import tornado.ioloop
import tornado.web

GLOBUS = os.environ["GLOBUS_URL"]
PORT = int(os.environ["PORT"])
TRANSFER = "transfer.api.globus.org"
SHOWN = ["name", "preferred_username", "email", "sub", "organization"]


class Handler(tornado.web.RequestHandler, tornado.auth.OAuth2Mixin):
    _OAUTH_AUTHORIZE_URL = GLOBUS + "/v2/oauth2/authorize"

    def kept(self, name):
        value = self.get_secure_cookie(name)
        return value.decode() if value else None

    async def post(self, path, **params):
        params.update(client_id=os.environ["CLIENT_ID"], client_secret=os.environ["CLIENT_SECRET"])
        answer = await self.get_auth_http_client().fetch(
            GLOBUS + path, method="POST", body=urllib.parse.urlencode(params))
        return tornado.escape.json_decode(answer.body)

    async def ask(self, path, access_token):
        answer = await self.get_auth_http_client().fetch(
            GLOBUS + path, headers={"Authorization": "Bearer " + access_token})
        return tornado.escape.json_decode(answer.body)

    def keep(self, tokens):
        self.set_secure_cookie("access_token", tokens["access_token"])
        self.set_secure_cookie("refresh_token", tokens["refresh_token"])


class Login(Handler):
    async def get(self):
        here = f"http://localhost:{PORT}/login"
        code = self.get_argument("code", None)
        if code is None:
            self.authorize_redirect(
                redirect_uri=here, client_id=os.environ["CLIENT_ID"], response_type="code",
                scope=["openid", "profile", "email", f"urn:globus:auth:scope:{TRANSFER}:all"],
                extra_params={"access_type": "offline"})
            return
        tokens = await self.post("/v2/oauth2/token", grant_type="authorization_code", code=code, redirect_uri=here)
        person = await self.ask("/v2/oauth2/userinfo", tokens["access_token"])
        for name in SHOWN:
            self.set_secure_cookie(name, person[name], expires=time.time() + tokens["expires_in"] - 60)
        self.keep(tokens)
        for other in tokens["other_tokens"]:
            if other["resource_server"] == TRANSFER:
                self.set_secure_cookie("transfer_token", other["access_token"])
        self.redirect("/")


class Home(Handler):
    def get(self):
        self.write({name: self.kept(name) for name in SHOWN + ["access_token"]})


class Transfers(Handler):
    async def get(self):
        self.write(await self.ask("/v0.10/task_list?limit=3", self.kept("transfer_token")))


class Refresh(Handler):
    async def get(self):
        self.keep(await self.post("/v2/oauth2/token", grant_type="refresh_token", refresh_token=self.kept("refresh_token")))
        self.redirect("/")


class Logout(Handler):
    async def get(self):
        for name in ["access_token", "refresh_token"]:
            await self.post("/v2/oauth2/token/revoke", token=self.kept(name))
        self.clear_all_cookies()
        self.redirect("/")


if __name__ == "__main__":
    tornado.web.Application(
        [("/", Home), ("/login", Login), ("/transfers", Transfers), ("/refresh", Refresh), ("/logout", Logout)],
        cookie_secret=secrets.token_hex(), xsrf_cookies=True,
    ).listen(PORT, "127.0.0.1")
    tornado.ioloop.IOLoop.current().start()
