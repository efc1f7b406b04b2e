// An OpenID provider with dynamic client registration: its port, its initial access token, and "rotate" for a new
// registration access token with each answer to an update.
import Provider from 'oidc-provider';

const [port, initialAccessToken, rotate] = process.argv.slice(2);
const provider = new Provider(`http://127.0.0.1:${port}`, {
  features: {
    devInteractions: { enabled: false },
    clientCredentials: { enabled: true },
    registration: { enabled: true, initialAccessToken },
    registrationManagement: { enabled: true, rotateRegistrationAccessToken: rotate === 'rotate' },
  },
});
provider.listen(Number(port), '127.0.0.1');
