/**
 * The dots of a project for training with nucdet: annotations/NAME.geojson of every image that has some, and a manifest.csv
 * that names images and annotations, both in the folder nucdet of the project. QuPath 0.5 and later; run once, not for each
 * image ("Run", not "Run for project"): save the open image first.
 *
 * Points count as nuclei with their class, polygons of the classes Region* and Ignore* say where nuclei count, and
 * detections that were corrected count as nuclei too. Other polygons are no nuclei and are left out.
 */

def detections = true  // whether detections count as nuclei: false where only points were checked

def project = getProject()
if (project == null)
    throw new IllegalStateException("nucdet: no project is open")
def folder = new File(buildFilePath(PROJECT_BASE_DIR, "nucdet"))
def annotations = new File(folder, "annotations")
annotations.mkdirs()

def isArea = { it.getPathClass() != null && it.getPathClass().toString() in ["Region*", "Ignore*"] }
def counts = { it.isAnnotation() ? it.getROI().isPoint() || isArea(it) : detections && it.isDetection() }
def quoted = { '"' + it.replace('"', '""') + '"' }

def taken = [] as Set  // in small letters, as some file systems compare them
def lines = ["image,annotations"]
project.getImageList().each { entry ->
    def hierarchy = entry.readHierarchy()
    def objects = (hierarchy.getAnnotationObjects() + hierarchy.getDetectionObjects()).findAll { it.hasROI() && counts(it) }
    if (!objects)
        return
    def uri = entry.getURIs().find { it.scheme == "file" }
    if (uri == null) {
        println "nucdet: " + entry.getImageName() + " is no file, and is left out"
        return
    }
    def plain = entry.getImageName().replaceAll(/\.[^.]+$/, "").replaceAll(/[^\w.-]/, "_"), name = plain
    for (int k = 2; !taken.add(name.toLowerCase()); ++k)
        name = plain + "_" + k
    def file = new File(annotations, name + ".geojson")
    exportObjectsToGeoJson(objects, file.path, "FEATURE_COLLECTION")
    lines << quoted(new File(new URI("file", "", uri.path, null, null)).path) + "," + quoted("annotations/" + file.name)
    println entry.getImageName() + ": " + objects.size() + " objects"
}
new File(folder, "manifest.csv").setText(lines.join("\n") + "\n", "UTF-8")
println "nucdet train " + new File(folder, "manifest.csv").path + " --out run --preset finetune"
