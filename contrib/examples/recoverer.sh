#!/bin/sh
# Makes in Keystone what unwedge needs: the role nova_recoverer, a project without servers, a user in it
# with this role only, and two application credentials of that user: one that looks, one that also acts.
#
#   export OS_CLOUD=admin                         # somebody who may make users
#   ./recoverer.sh >>clouds.yaml                  # prints two entries; keep that file 0600
#
# Nova needs nova-policy-recoverer.yaml, else the role sees nothing. A second run makes the application
# credentials anew; the old secrets are void then. The user's password is random, forgotten at the end, and
# for a moment among this machine's processes: run it where no stranger can list them. Paths in access-rules-*.json are those that a service
# sees: with a prefix where its endpoint in the catalog has one ("/v2.1/{project_id}/servers/..." too).
set -eu
umask 077
here=$(cd "$(dirname "$0")" && pwd)
role=nova_recoverer
user=${UNWEDGE_USER:-unwedge}
project=${UNWEDGE_PROJECT:-unwedge}
domain=${UNWEDGE_DOMAIN:-Default}
password=$(od -An -N24 -tx1 /dev/urandom | tr -d ' \n')

openstack role create --or-show "$role" >/dev/null
openstack project create --or-show --domain "$domain" "$project" >/dev/null
openstack user create --or-show --domain "$domain" --password "$password" "$user" >/dev/null
openstack user set --domain "$domain" --password "$password" "$user"
openstack role add --user "$user" --user-domain "$domain" --project "$project" --project-domain "$domain" "$role"

# An application credential is made by its user. Nobody has to know the password afterwards.
cloud=$(openstack configuration show -f shell --prefix cloud_ -c auth.auth_url -c region_name)
url=$(echo "$cloud" | sed -n 's/^cloud_auth.auth_url="\(.*\)"$/\1/p')
region=$(echo "$cloud" | sed -n 's/^cloud_region_name="\(.*\)"$/\1/p')
as_user() {
  env -u OS_CLOUD -u OS_SYSTEM_SCOPE -u OS_PROJECT_ID OS_AUTH_TYPE=v3password OS_IDENTITY_API_VERSION=3 \
    OS_AUTH_URL="$url" OS_USERNAME="$user" OS_USER_DOMAIN_NAME="$domain" OS_PASSWORD="$password" \
    OS_PROJECT_NAME="$project" OS_PROJECT_DOMAIN_NAME="$domain" openstack "$@"
}
for what in look act; do
  as_user application credential delete "unwedge-$what" 2>/dev/null || true
  made=$(as_user application credential create "unwedge-$what" -f value -c id -c secret \
    --description "unwedge, to $what" --access-rules "$here/access-rules-$what.json")
  cat <<ENTRY
  unwedge-$what:
    auth_type: v3applicationcredential
    region_name: $region
    auth:
      auth_url: $url
      application_credential_id: $(echo "$made" | sed -n 1p)
      application_credential_secret: $(echo "$made" | sed -n 2p)
ENTRY
done
