/* SPDX-License-Identifier: BSD-2-Clause */
/* Trees as the runtimes leave them, below a folder that stands for the node's root. */
#include "collect/container_private.h"

#include <criterion/criterion.h>
#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define ID "3f2a9c0d1e4b5a69788796a5b4c3d2e1f00112233445566778899aabbccddeef"
#define ID2 "0000000000005a69788796a5b4c3d2e1f00112233445566778899aabbccddeef"
#define UID "1b2c3d4e-0000-1111-2222-333344445555"

static char root[] = "/tmp/rootle-container-XXXXXX";
static struct containers *t;

/* Makes the file and the folders above it. */
static void put(const char *path, const char *fmt, ...)
{
	char full[1024], *slash;
	va_list ap;

	snprintf(full, sizeof(full), "%s%s", root, path);
	for (slash = strchr(full + strlen(root) + 1, '/'); slash; slash = strchr(slash + 1, '/')) {
		*slash = '\0';
		mkdir(full, 0755);
		*slash = '/';
	}
	FILE *f = fopen(full, "w");
	cr_assert_not_null(f, "%s", full);
	va_start(ap, fmt);
	vfprintf(f, fmt, ap);
	va_end(ap);
	fclose(f);
}

static void make(void)
{
	char proc[PATH_MAX];

	cr_assert_not_null(mkdtemp(root));
	put("/proc/version", "x");
	put("/etc/hostname", "node1\n");
	snprintf(proc, sizeof(proc), "%s/proc", root);
	t = containers_new(proc);
	cr_assert_not_null(t);
}

static void unmake(void)
{
	char cmd[100];

	containers_free(t);
	snprintf(cmd, sizeof(cmd), "rm -rf %s", root);
	cr_assert_eq(system(cmd), 0);
}

TestSuite(container, .init = make, .fini = unmake);

static void is(const char *cgroup, const char *service, const char *image, const char *why)
{
	const struct container *c = containers_find(t, cgroup, 0);

	cr_assert_not_null(c, "%s: nothing found", cgroup);
	cr_expect_str_eq(c->service, service);
	cr_expect_str_eq(c->image, image);
	cr_expect_str_eq(c->why, why);
}

Test(container, docker)
{
	put("/var/lib/docker/containers/" ID "/config.v2.json",
	    "{\"ID\":\"" ID "\",\"Config\":{\"Image\":\"nginx:1.25\",\"Labels\":{}},\"Name\":\"/edge\"}");
	is("/docker/" ID, "edge", "nginx:1.25", "Docker container");
	is("/system.slice/docker-" ID ".scope", "edge", "nginx:1.25", "Docker container");
	is("/../../docker/" ID "/nested", "edge", "nginx:1.25", "Docker container");
}

Test(container, docker_elsewhere)
{
	put("/etc/docker/daemon.json", "{\"data-root\": \"/mnt/docker\"}");
	put("/mnt/docker/containers/" ID "/config.v2.json", "{\"Config\":{\"Image\":\"a\"},\"Name\":\"/edge\"}");
	is("/docker/" ID, "edge", "a", "Docker container");
}

Test(container, docker_compose_and_swarm)
{
	put("/var/lib/docker/containers/" ID "/config.v2.json",
	    "{\"Name\":\"/shop-cart-2\",\"Config\":{\"Image\":\"cart\",\"Labels\":{\"com.docker.compose.project\":\"shop\","
	    "\"com.docker.compose.service\":\"cart\",\"com.docker.compose.container-number\":\"2\"}}}");
	put("/var/lib/docker/containers/" ID2 "/config.v2.json",
	    "{\"Name\":\"/web.1.abc\",\"Config\":{\"Image\":\"w\",\"Labels\":{\"com.docker.swarm.service.name\":\"web\"}}}");
	is("/docker/" ID, "shop-cart", "cart", "Docker container shop-cart-2");
	is("/docker/" ID2, "web", "w", "Docker container web.1.abc");
}

Test(container, nomad)
{
	put("/var/lib/docker/containers/" ID "/config.v2.json",
	    "{\"Name\":\"/api-1b2c3d4e-0000-1111-2222-333344445555\",\"Config\":{\"Image\":\"a\"}}");
	is("/docker/" ID, "api", "a", "Docker container api-1b2c3d4e-0000-1111-2222-333344445555");
}

#define BUNDLE "/run/containerd/io.containerd.runtime.v2.task/"

Test(container, containerd_of_kubernetes)
{
	put(BUNDLE "k8s.io/" ID "/config.json",
	    "{\"annotations\":{\"io.kubernetes.cri.container-type\":\"container\",\"io.kubernetes.cri.container-name\":\"cart\","
	    "\"io.kubernetes.cri.sandbox-name\":\"cart-7d9f8b6c5d-x2x4z\",\"io.kubernetes.cri.sandbox-namespace\":\"shop\","
	    "\"io.kubernetes.cri.image-name\":\"registry/cart:7\"}}");
	is("/kubepods.slice/kubepods-burstable.slice/kubepods-burstable-pod1b2c.slice/cri-containerd-" ID ".scope", "cart", "registry/cart:7",
	   "workload of pod shop/cart-7d9f8b6c5d-x2x4z, container cart");
}

Test(container, pause)
{
	put(BUNDLE "k8s.io/" ID "/config.json",
	    "{\"annotations\":{\"io.kubernetes.cri.container-type\":\"sandbox\",\"io.kubernetes.cri.sandbox-name\":\"db-0\","
	    "\"io.kubernetes.cri.sandbox-namespace\":\"shop\"}}");
	is("/kubepods/burstable/pod" UID "/" ID, "db/pause", "", "workload of pod shop/db-0");
}

Test(container, nerdctl_and_ctr)
{
	put(BUNDLE "default/" ID "/config.json", "{\"annotations\":{\"nerdctl/name\":\"search\"}}");
	put(BUNDLE "default/by-hand/config.json", "{\"ociVersion\":\"1.0\"}");
	is("/system.slice/nerdctl-" ID ".scope", "search", "", "containerd container");
	is("/default/by-hand", "by-hand", "", "containerd container");
}

/* Of containerd 1.6.20, after 'ctr image import' of localhost/shop:1.2 and 'ctr run … localhost/shop:1.2 ctr-shop'. */
static void database_put(char *path, size_t cap)
{
	char cmd[600];

	put("/var/lib/containerd/io.containerd.metadata.v1.bolt/x", "");
	snprintf(path, cap, "%s/var/lib/containerd/io.containerd.metadata.v1.bolt/meta.db", root);
	snprintf(cmd, sizeof(cmd), "gzip -dc %s/containerd-meta.db.gz > %s", TEST_DIR, path);
	cr_assert_eq(system(cmd), 0);
}

Test(container, image_in_the_database_of_containerd)
{
	char path[512];

	database_put(path, sizeof(path));
	put(BUNDLE "default/ctr-shop/config.json", "{\"annotations\":{}}");
	put(BUNDLE "default/ctr-other/config.json", "{\"annotations\":{}}");
	is("/default/ctr-shop", "ctr-shop", "localhost/shop:1.2", "containerd container");
	is("/default/ctr-other", "ctr-other", "", "containerd container");
}

/* Its owner may write while we read: whatever is there, nothing is read beyond it. */
Test(container, damaged_database)
{
	static uint8_t whole[131072], bad[sizeof(whole)];
	char path[512], image[CONTAINER_LONG];
	unsigned seed = 11;

	database_put(path, sizeof(path));
	FILE *f = fopen(path, "r+");
	cr_assert(f && fread(whole, 1, sizeof(whole), f) == sizeof(whole));
	setvbuf(f, NULL, _IONBF, 0);
	for (int round = 0; round < 500; round++) {
		memcpy(bad, whole, sizeof(bad));
		for (int i = 0; i < 40; i++) {
			seed = seed * 1103515245 + 12345;
			size_t page = (seed >> 8) % 32 * 4096, at = page + (round % 2 ? (seed >> 16) % 96 : (seed >> 16) % 4096);
			bad[at] = (uint8_t)(seed >> 24);
		}
		rewind(f);
		fwrite(bad, 1, sizeof(bad), f);
		container_bolt_image(root, path + strlen(root), "default", "ctr-shop", image);
	}
	cr_assert_eq(ftruncate(fileno(f), 5000), 0);
	cr_expect_not(container_bolt_image(root, path + strlen(root), "default", "ctr-shop", image));
	fclose(f);
}

Test(container, podman)
{
	put("/var/lib/containers/storage/overlay-containers/containers.json",
	    "[{\"id\":\"" ID2 "\",\"names\":[\"other\"]},{\"id\":\"" ID "\",\"names\":[\"mail\"],\"image\":\"c086\",\"metadata\":"
	    "\"{\\\"image-name\\\":\\\"docker.io/library/exim:4\\\",\\\"name\\\":\\\"mail\\\"}\"}]");
	is("/machine.slice/libpod-" ID ".scope/container", "mail", "docker.io/library/exim:4", "Podman container");
	is("/libpod_parent/libpod-" ID, "mail", "docker.io/library/exim:4", "Podman container");
	cr_expect_null(containers_find(t, "/machine.slice/libpod-conmon-" ID ".scope", 0), "the monitor is not in the container");
}

Test(container, cri_o)
{
	put("/run/containers/storage/overlay-containers/" ID "/userdata/config.json",
	    "{\"annotations\":{\"io.kubernetes.container.name\":\"cart\",\"io.kubernetes.pod.name\":\"cart-x2x4z\","
	    "\"io.kubernetes.pod.namespace\":\"shop\",\"io.kubernetes.cri-o.ContainerType\":\"container\","
	    "\"io.kubernetes.cri-o.ImageName\":\"quay.io/cart:7\"}}");
	is("/kubepods.slice/kubepods-pod1.slice/crio-" ID ".scope", "cart", "quay.io/cart:7", "workload of pod shop/cart-x2x4z, container cart");
}

Test(container, cri_o_by_its_storage)
{
	put("/var/lib/containers/storage/overlay-containers/containers.json",
	    "[{\"id\":\"" ID "\",\"names\":[\"k8s_cart_cart-x2x4z_shop_" UID "_0\"],\"metadata\":\"{\\\"image-name\\\":\\\"q\\\"}\"}]");
	is("/kubepods.slice/crio-" ID ".scope", "cart", "q", "workload of pod shop/cart-x2x4z, container cart");
}

Test(container, low_level_runtimes)
{
	put("/run/runc/shop-web/state.json", "{\"id\":\"shop-web\",\"cgroup_paths\":{\"\":\"/sys/fs/cgroup/unified/user/shop-web\"}}");
	put("/run/runc/stale/state.json", "{\"id\":\"stale\",\"cgroup_paths\":{\"\":\"/sys/fs/cgroup/stale\"}}");
	put("/run/crun/shop-job/status", "{\"pid\":7,\"cgroup-path\":\"/system.slice/crun-shop-job.scope\"}");
	is("/user/shop-web", "shop-web", "", "runc container");
	is("/user/shop-web/below", "shop-web", "", "runc container");
	is("/system.slice/crun-shop-job.scope", "shop-job", "", "crun container");
	cr_expect_null(containers_find(t, "/other/stale", 0), "a cgroup that has a container's id as its name by chance");
}

Test(container, lxc)
{
	put("/var/lib/lxc/web2/config", "# Template used\n# Parameters passed to the template: -d debian -r bookworm -a amd64\nlxc.uts.name = web2\n");
	is("/lxc.payload.web2/system.slice/a.service", "web2", "debian:bookworm", "LXC container");
	is("/lxc/web2/init.scope", "web2", "debian:bookworm", "LXC container");
	cr_expect_null(containers_find(t, "/web2", 0));
}

/* Neither runtime can be asked: what the kubelet left. */
Test(container, kubelet_alone)
{
	put("/var/log/containers/cart-7d9f8b6c5d-x2x4z_shop_cart-" ID ".log", "");
	is("/kubepods/pod" UID "/" ID, "cart", "", "workload of pod shop/cart-7d9f8b6c5d-x2x4z, container cart");
	put("/var/log/pods/shop_db-0_" UID "/postgres/0.log", "");
	put("/var/lib/kubelet/pods/" UID "/containers/postgres/x", "");
	is("/kubepods.slice/kubepods-pod1b2c3d4e_0000_1111_2222_333344445555.slice/cri-containerd-" ID2 ".scope", "db", "",
	   "workload of pod shop/db-0, container postgres");
}

Test(container, kubelet_hosts)
{
	put("/var/lib/kubelet/pods/" UID "/etc-hosts", "# Kubernetes-managed\n127.0.0.1\tlocalhost\n10.1.2.3\tworker-4.workers.shop\tworker-4\n");
	is("/kubepods/pod" UID "/" ID, "worker", "", "workload of pod worker-4");
}

static void pod(const char *id, const char *space, const char *name, const char *part)
{
	char path[256];

	snprintf(path, sizeof(path), BUNDLE "k8s.io/%s/config.json", id);
	put(path, "{\"annotations\":{\"io.kubernetes.cri.container-name\":\"%s\",\"io.kubernetes.cri.sandbox-name\":\"%s\","
	    "\"io.kubernetes.cri.sandbox-namespace\":\"%s\"}}", part, name, space);
	snprintf(path, sizeof(path), "/var/log/pods/%s_%s_%.8s-x/%s/0.log", space, name, id, part);
	put(path, "");
}

static const char *service_of(const char *id)
{
	char cgroup[128];

	snprintf(cgroup, sizeof(cgroup), "/kubepods/podx/%s", id);
	const struct container *c = containers_find(t, cgroup, 0);
	return c ? c->service : "none";
}

Test(container, same_workload_in_two_namespaces)
{
	pod(ID, "shop", "cart-7d9f8b6c5d-x2x4z", "cart");
	pod(ID2, "staging", "cart-66d9f8b6c5-wwwww", "cart");
	cr_expect_str_eq(service_of(ID), "cart.shop");
	cr_expect_str_eq(service_of(ID2), "cart.staging");
}

/* A name once given stays; who comes later has the longer one. */
Test(container, same_workload_later)
{
	pod(ID, "shop", "cart-7d9f8b6c5d-x2x4z", "cart");
	cr_expect_str_eq(service_of(ID), "cart");
	pod(ID2, "staging", "cart-66d9f8b6c5-wwwww", "cart");
	cr_expect_str_eq(service_of(ID2), "cart.staging");
	cr_expect_str_eq(service_of(ID), "cart");
}

Test(container, sidecar)
{
	pod(ID, "shop", "cart-7d9f8b6c5d-x2x4z", "app");
	put("/var/log/pods/shop_cart-7d9f8b6c5d-x2x4z_3f2a9c0d-x/istio-proxy/0.log", "");
	put(BUNDLE "k8s.io/" ID2 "/config.json",
	    "{\"annotations\":{\"io.kubernetes.cri.container-name\":\"istio-proxy\",\"io.kubernetes.cri.sandbox-name\":\"cart-7d9f8b6c5d-x2x4z\","
	    "\"io.kubernetes.cri.sandbox-namespace\":\"shop\"}}");
	cr_expect_str_eq(service_of(ID), "cart");
	cr_expect_str_eq(service_of(ID2), "cart/istio-proxy");
}

Test(container, workloads)
{
	static const char *const cases[][2] = {
		{ "cart-7d9f8b6c5d-x2x4z", "cart" },             /* Deployment */
		{ "shop-cart-6bc97d5b-x2x4z", "shop-cart" },
		{ "fluentd-x2x4z", "fluentd" },                  /* DaemonSet */
		{ "db-0", "db" }, { "shop-db-12", "shop-db" },   /* StatefulSet */
		{ "report-28391040-x2x4z", "report" },           /* CronJob */
		{ "report-1589808360-x2x4z", "report" },
		{ "migrate-x2x4z", "migrate" },                  /* Job */
		{ "etcd-node1", "etcd" },                        /* the kubelet's own */
		{ "redis-cache", "redis-cache" },                /* by hand */
		{ "web", "web" },
		{ "redis-sentinel-master", "redis-sentinel-master" },
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		char name[CONTAINER_LONG];
		pod_workload(cases[i][0], "node1", name);
		cr_expect_str_eq(name, cases[i][1], "%s: %s, not %s", cases[i][0], name, cases[i][1]);
	}
}

Test(container, what_is_no_container)
{
	cr_expect_null(containers_find(t, "/", 0));
	cr_expect_null(containers_find(t, "", 0));
	cr_expect_null(containers_find(t, "/system.slice/nginx.service", 0));
	cr_expect_null(containers_find(t, "/docker/" ID, 0), "its runtime's files are not there");
}

Test(container, monitors)
{
	static const char conmon[] = "/usr/bin/conmon\0--api-version\0" "1\0-c\0" ID "\0-b\0/home/u/storage/overlay-containers/" ID
				     "/userdata\0-n\0mail\0--exit-command\0podman\0-n\0no";
	static const char shim[] = "/usr/bin/containerd-shim-runc-v2\0-namespace\0moby\0-id\0" ID "\0-address\0/run/user/1/containerd.sock";
	struct container_monitor m;

	cr_assert(container_monitor_parse("conmon", conmon, sizeof(conmon), &m));
	cr_expect_str_eq(m.id, ID);
	cr_expect_str_eq(m.name, "mail");
	cr_expect_str_eq(m.folder, "/home/u/storage/overlay-containers/" ID "/userdata");
	cr_assert(container_monitor_parse("containerd-shim-runc-v2", shim, sizeof(shim), &m));
	cr_expect_str_eq(m.space, "moby");
	cr_expect_str_eq(m.folder, "/run/user/1");
	cr_expect_not(container_monitor_parse("bash", conmon, sizeof(conmon), &m));
	cr_expect_not(container_monitor_parse("conmon", "", 0, &m));
	cr_expect(container_monitor_parse("conmon", "conmon\0-c", 9, &m) && !m.id[0], "an option without its value");
}

/* What is there may be broken, endless, or no file at all: then there is no name, and nobody waits. */
Test(container, hostile_files)
{
	char path[512], deep[4001];

	put("/var/lib/docker/containers/" ID "/config.v2.json", "{\"Name\":\"/ed");
	cr_expect_null(containers_find(t, "/docker/" ID, 0), "cut off");
	snprintf(path, sizeof(path), "%s/var/lib/docker/containers/" ID2, root);
	cr_assert_eq(mkdir(path, 0755), 0);
	strcat(path, "/config.v2.json");
	cr_assert_eq(mkfifo(path, 0600), 0);
	cr_expect_null(containers_find(t, "/docker/" ID2, 0), "a pipe");
	memset(deep, '[', sizeof(deep) - 1);
	deep[sizeof(deep) - 1] = '\0';
	put("/run/runc/deep/state.json", "%s", deep);
	cr_expect_null(containers_find(t, "/deep", 0), "nested without an end");
	put("/run/crun/ugly/status", "{\"cgroup-path\":\"/ugly\"}");
	put("/var/lib/docker/containers/" "1" "111111111115a69788796a5b4c3d2e1f00112233445566778899aabbccddeef" "/config.v2.json",
	    "{\"Name\":\"/a\\u001b[31mb\",\"Config\":[]}");
	is("/docker/1111111111115a69788796a5b4c3d2e1f00112233445566778899aabbccddeef", "a\xef\xbf\xbd" "[31mb", "", "Docker container");
}
