"""A Django site where people sign in by social-auth's Globus backend.

    GLOBUS_URL=… CLIENT_ID=… CLIENT_SECRET=… PORT=… python3 django_site.py FOLDER
"""

import os
import secrets
import sys

import django
import requests
from django.conf import settings
from django.core.management import call_command
from django.http import JsonResponse
from django.shortcuts import redirect
from django.urls import include, path

GLOBUS = os.environ["GLOBUS_URL"]

settings.configure(
    SECRET_KEY=secrets.token_hex(),
    ALLOWED_HOSTS=["localhost"],
    ROOT_URLCONF=__name__,
    DEFAULT_AUTO_FIELD="django.db.models.BigAutoField",
    DATABASES={"default": {"ENGINE": "django.db.backends.sqlite3", "NAME": os.path.join(sys.argv[1], "site.db")}},
    INSTALLED_APPS=["django.contrib.auth", "django.contrib.contenttypes", "django.contrib.sessions", "social_django"],
    MIDDLEWARE=[
        "django.contrib.sessions.middleware.SessionMiddleware",
        "django.contrib.auth.middleware.AuthenticationMiddleware",
    ],
    AUTHENTICATION_BACKENDS=["social_core.backends.globus.GlobusOpenIdConnect"],
    LOGIN_REDIRECT_URL="/",
    SOCIAL_AUTH_GLOBUS_OIDC_ENDPOINT=GLOBUS,
    SOCIAL_AUTH_GLOBUS_KEY=os.environ["CLIENT_ID"],
    SOCIAL_AUTH_GLOBUS_SECRET=os.environ["CLIENT_SECRET"],
    SOCIAL_AUTH_GLOBUS_SCOPE=["urn:globus:auth:scope:transfer.api.globus.org:all"],
    SOCIAL_AUTH_GLOBUS_AUTH_EXTRA_ARGUMENTS={"access_type": "offline"},
)
django.setup()

from social_django.utils import load_strategy  # noqa: E402, once Django is set up


def home(request):
    if not request.user.is_authenticated:
        return redirect("/login/globus/")
    account = request.user.social_auth.get()
    transfer = account.extra_data["other_tokens"][0]["access_token"]
    tasks = requests.get(GLOBUS + "/v0.10/task_list", params={"limit": 3}, headers={"Authorization": "Bearer " + transfer})
    return JsonResponse({
        "username": request.user.username,
        "email": request.user.email,
        "name": request.user.get_full_name(),
        "sub": account.uid,
        "access_token": account.extra_data["access_token"],
        "tasks": [task["label"] for task in tasks.json()["DATA"]],
    })


def refresh(request):
    request.user.social_auth.get().refresh_token(load_strategy())
    return redirect("/")


urlpatterns = [path("", home), path("refresh", refresh), path("", include("social_django.urls", namespace="social"))]

if __name__ == "__main__":
    call_command("migrate", verbosity=0)
    call_command("runserver", "127.0.0.1:" + os.environ["PORT"], use_reloader=False)
