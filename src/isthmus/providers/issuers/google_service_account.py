"""Service accounts of Google Cloud, whose key files are exchanged for tokens of an hour.

Source: https://developers.google.com/identity/protocols/oauth2/service-account
"""

from isthmus.providers.issuer import Issuer, SignInFlow

GOOGLE_SERVICE_ACCOUNT = Issuer(
    name="google-service-account",
    title="Google Cloud",
    client_id="",
    flows=(SignInFlow.SERVICE_ACCOUNT,),
    token_url="https://oauth2.googleapis.com/token",  # noqa: S106  an address
    scopes=("https://www.googleapis.com/auth/cloud-platform",),
)
