# What `helm test` runs, with the image's command line: every service has to do its part. Kubernetes makes one of two dollar signs.
if [ -n "${TEST_USER:-}" ]; then
  user=$TEST_USER
  export FOSP_PASSWORD=$TEST_PASSWORD
  fosp login "$user"
elif [ "$REGISTRATION" = open ]; then
  user=helm-test-$(date +%s)
  FOSP_PASSWORD=$(head -c 24 /dev/urandom | base64)
  export FOSP_PASSWORD
  fosp register "$user"
else
  echo 'Registration is closed: make an account for this test, and name its secret in test.existingSecret.' >&2
  exit 1
fi

object="$user@$DOMAIN/helm-test-$(date +%s)"
fosp create "$object" '{"data":"before"}'
fosp watch "$object" >told &
watcher=$!
trap 'kill $watcher 2>/dev/null || true' EXIT
until grep -q Watching told; do
  kill -0 $watcher
  sleep 1
done
fosp create "$object/child" '{"data":"after"}'
until grep -q "$object/child" told; do
  kill -0 $watcher
  sleep 1
done

head -c 300000 /dev/urandom >sent
fosp write "$object" sent
fosp read "$object" received
cmp sent received

kill $watcher
wait $watcher || true
fosp rm "$object"
echo 'Registered or logged in, created, was told, stored a file and read it.'
if [ -z "${TEST_USER:-}" ]; then
  echo "The account $user stays: fosp admin user rm $user, or test.existingSecret with an account for all tests."
fi
