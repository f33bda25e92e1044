// A site's identity provider for the browser journeys: npm oidc-provider, with one client and two users.
// Use: node oidc_provider.mjs PORT HUB-URL SECRET. Groups are where Keycloak puts a client's roles, in the nested
// claim resource_access.cygnet.roles. Whatever password is typed is right; its pages are the package's own.
import { pack } from '../e2e/lib/places.mjs';

const [port, hub, secret] = process.argv.slice(2);
const Provider = await pack('oidc-provider');
const roles = { alice: ['cygnet-users'], mallory: ['visitors'] };

const provider = new Provider(`http://127.0.0.1:${port}`, {
	clients: [{
		client_id: 'cygnet', client_secret: secret, 
		redirect_uris: [`${hub}hub/oauth_callback`, `${hub}hub/oauth_callback/uni`],
		post_logout_redirect_uris: [`${hub}hub/login`], grant_types: ['authorization_code'], response_types: ['code'],
	}],
	pkce: { required: () => true },
	features: { devInteractions: { enabled: true }, rpInitiatedLogout: { enabled: true } },
	// Claims of scopes go into the ID token too, where the hub reads them.
	conformIdTokenClaims: false,
	claims: { openid: ['sub'], profile: ['preferred_username'], groups: ['resource_access'] },
	scopes: ['openid', 'profile', 'groups'],
	cookies: { keys: ['a key of the tests'] },
	ttl: { AccessToken: 60, IdToken: 60, AuthorizationCode: 60, Session: 3600, Interaction: 3600, Grant: 3600 },
	findAccount: (_ctx, id) => ({
		accountId: id,
		claims: () => ({ sub: id, preferred_username: id, resource_access: { cygnet: { roles: roles[id] ?? [] } } }),
	}),
});
provider.listen(Number(port), '127.0.0.1', () => console.log('provider ready'));
