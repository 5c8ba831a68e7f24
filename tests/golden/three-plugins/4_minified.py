import faulthandler,hashlib as G,io,numpy as H,os as I,signal,subprocess,sys as d,time as l,torch as e,torch.distributed as r,torch.nn.functional as c,traceback,zlib
from functools import partial as s
from pathlib import Path as a
from sentencepiece import SentencePieceProcessor
from torch import nn as J
from torch.nn.attention.flex_attention import create_block_mask,flex_attention
from typing import NamedTuple as t
def el():
 t=I.environ.get;i=int(t('RANK',0));a=int(t('WORLD_SIZE',1));l=int(t('LOCAL_RANK',0))
 if a<1 or 8%a:raise ValueError(f"WORLD_SIZE is {a}, wanted a divisor of 8 micro-batches")
 return i,a,l
def ed():
 global n,u,o;i,a,l=el();t='gloo';h=e.device('cpu')
 if e.cuda.is_available():t='nccl';h=e.device('cuda',l);e.cuda.set_device(h)
 if a>1:r.init_process_group(t)
 u=i;o=a;n=h
def ec():
 if o>1:r.destroy_process_group()
def eu(t):
 if o>1:r.all_reduce(t)
 return t
def em(value):
 t=[value]*o
 if o>1:r.all_gather_object(t,value)
 return t
def ef(value):
 if o==1:return value
 h=e.tensor(value,dtype=e.float64,device=n);r.all_reduce(h,r.ReduceOp.MAX);return h.item()
def ep(t):
 if t.grad is None:t.grad=e.zeros_like(t)
 return t.grad
def eg(h):
 a=[ep(t)for t in h]
 if o>1:
  n=e.cat([l.flatten()for l in a]);r.all_reduce(n);i=(n/o).split([l.numel()for l in a])
  for(l,c)in zip(a,i,strict=True):l.copy_(c.view_as(l))
def ew(a,l):
 if o>1:return r.reduce_scatter(a,list(l.chunk(o)),async_op=True)
 a.copy_(l)
def ey(l,a):
 if o>1:return r.all_gather(list(l.chunk(o)),a,async_op=True)
 l.copy_(a)
def eb(e):
 if e is not None:e.wait()
def ev(i,a):
 if not i.i:return a,
 e=range(i.shape[0]//len(i.i));return tuple(t.format(o)for t in i.i for o in e)
def g(s):
 l=[]
 for i in s:
  if i.i:
   e=range(i.shape[0]//len(i.i))
   for(t,h)in zip(i.i,i.init,strict=True):l+=[(t.format(o),h,i)for o in e]
  else:l+=[(a,i.init,i)for a in i.r()]
 return l
def ek(r,s,d):
 for i in s:
  c=d if i.dtype=='activation'else e.float32
  for a in i.r():
   *l,h=a.split('.');t=r
   for o in l:
    if o not in t._modules:t.add_module(o,J.ModuleList())
    t=t._modules[o]
   t.register_parameter(h,J.Parameter(e.empty(i.shape,dtype=c,device=n)))
def ex(a):o=G.sha256(f"{V}:{a}".encode()).digest();return e.Generator().manual_seed(int.from_bytes(o[:7],'little'))
def ej(s,r):
 n=w(p.state_dict(),s)
 for(a,h,c)in g(s):i=e.empty(n[a].shape);h(i,ex(a),r);n[a].copy_(i)
def w(n,s):
 h=[]
 for i in s:
  for a in i.r():h+=n[a].unbind()if i.i else[n[a]]
 return{a:t for((a,c,c),t)in zip(g(s),h,strict=True)}
def eq(tensor,generator,ledger):tensor.zero_()
def y(tensor,generator,ledger):tensor.fill_(1.)
def ez(tensor,generator,ledger,value):tensor.fill_(value)
def eA(tensor,generator,ledger,std):tensor.normal_(.0,std,generator=generator)
class eB:
 def __init__(e):r=[(p.get_parameter(a),ev(i,a),i)for i in ea for a in i.r()];e.tensors,e.names=b(r);e.replicated=[t for(t,s,i)in r if i.reduction=='replicated'];e.D,e.E=b([n for n in r if n[2].y]);h,d=b([n for n in r if n[2].group=='matrix']);oa(h,d);l=[(o,*b([n for n in r if n[2].group==o.name]))for o in(ob,ov)];aV(l)
 @e.no_grad()
 def step(e,scalars,ledger):
  oo();eg(e.replicated);aW(scalars,ledger);oi(scalars,ledger)
  for t in e.tensors:t.grad=None
def b(r):return[t for(t,s,i)in r],[s for(t,s,i)in r]
def eC(a):
 if e.cuda.is_available():return e.compile(a,dynamic=False,fullgraph=True)
 return a
def eD(a):
 global O
 if O is None:O=eC(ok)
 return O(a.bfloat16()if a.is_cuda else a.float(),5).bfloat16()
def eE(a,s):a=eD(a).contiguous();return a
def eF(t,a,s,o,n):eG(t,a,.04*n.o,o)
def eG(t,a,e,o):t.add_(a,alpha=-e*o)
def eH(l,t,d):t.mul_(d).add_(l);return l.add(t,alpha=d)
def eI(t):return max(1,t.shape[-2]/t.shape[-1])**.5
def eJ():
 a=''
 try:ow()
 except(OSError,ValueError)as h:a=f"{eo}: {h}"
 for(i,t)in enumerate(em(a)):
  if t:raise ValueError(f"{t} (on rank {i})"if i else t)
def eK(t):
 if t is not None:i(f"prepared {eo}: {t}")
class Param(t):
 name:t;shape:t;group:t;x:t;init:t=None;l:t='';dtype:t='float32';layers:t=0;i:t=();reduction:t='replicated';z:t='';y:t=True;C:t=True;export:t='yes';p:t=0
 def r(e):return[e.name.format(o)for o in range(e.p,e.layers)]or[e.name]
class Group(t):name:t;lr:t;weight_decay:t=.0
class Phase(t):name:t;start:t;q:t=True;l:t=''
class v:
 def __init__(e):e.done={}
 def count(e,plugin,unit,number=1):e.done[plugin,unit]=e.done.get((plugin,unit),0)+number
 def s(e,n,t):e.done[n,'']=t
 def j(e,n):return', '.join(f"{c} {t}".strip()for((a,t),c)in e.done.items()if a==n and c)
def eL(i,o,t):return(i/k(o)).round().clamp(-t,t).to(e.int8)
def k(o):return o[:,None]if o.ndim else o
def eM(n,o,r):return(n.float()*k(o).float()).to(r)
def eN(i):
 if i.ndim==2:o=(i.abs().amax(1)/31).clamp_min(1/31)
 else:o=i.abs().amax()/31;o=o if o>0 else o+1
 o=o.half();return eL(i,o.float(),31),o
def eO(i):
 if i.ndim==2:t=e.quantile(i.abs(),.9999984,1);o=(t/127).clamp_min(1/127);a=o.half()
 else:t=e.quantile(i.abs().flatten(),.9999984);a=o=t/127 if t>0 else t+1
 t=k(t);return eL(i.clamp(-t,t),o,127),a
def eP(i,r):
 if'kept'in i:return i['kept'].to(r)
 return eM(i['codes'],i['step'],r)
def x(a,o,r):
 t=I.environ.get(a,o)
 try:return r(t)
 except ValueError:raise ValueError(f"{a} is {t!r}, wanted a value like {o!r}")from None
def eQ():global R,S,m,T,oj,U,V,W,oq,oz;t=I.environ.get;R=t('DATA_PATH','./data/datasets/fineweb10B_sp1024');S='export'in d.argv;m=x('ITERATIONS',20000,int);T=x('MAX_WALLCLOCK_SECONDS',6e2,float);oj=t('RUN_ID',str(l.time_ns()));U='score'in d.argv;V=x('SEED',1337,int);W=t('TOKENIZER_PATH','./data/tokenizers/fineweb_1024_bpe.model');oq=x('TRAIN_LOG_EVERY',200,int);oz=x('VAL_LOSS_EVERY',1000,int)
class Score(t):val_loss:t;d:t;A:t;f:t
def eR(o):
 if o.numel():raise ValueError(f"target {o[0]} of the validation stream is not scored")
def eS(o):i=en[o].to(n,e.int64);t=i[:,:-1].contiguous();return t,i[:,1:].contiguous(),eT()
def eT():return{}
def eU(a,I,o,h):
 f=o[:,1:];a[f[h]]=I;tL(f"eval: batch {I}");t,l,u=eS(o);s=tO()
 with e.set_grad_enabled(False):m=oC(t,l,phases=s,fields=u,reduction='none',adapter=None)
 r=aR(t,l,f.to(n));d=h.to(n);p=(m.detach().double()*16777216).round()/16777216;i=p*d,d,r*d;return m,e.stack([c.sum().double()for c in i])
def eV(a,t):
 if o>1:a=a.to(n);r.all_reduce(a,t)
 return a.cpu()
def eW(a,i,s):
 eR(1+(a[1:]==0).nonzero().flatten());p,o,t=eu(i).tolist()
 if o>len(a)-1:raise ValueError('a target of the validation stream is scored twice')
 return Score(p/o,p/.6931471805599453/t,int(o),1e3*(l.perf_counter()-s))
def eX(scored_at):
 if u==0:l=f"logs/{oj}.scores.npz";H.savez_compressed(l,scored_at=scored_at.numpy())
class Span(t):start:t;end:t;p:t
def eY(t):return[Span(i,i+1024,0)for i in range(0,(t-1)//1024*1024,1024)]
def eZ(t):return t[len(t)*u//o:len(t)*(u+1)//o]
def te(t):a=e.are_deterministic_algorithms_enabled();o=t if a else eZ(t);i=[o[n:n+64]for n in range(0,len(o),64)];return eZ(i)if a else i
def tt(t):
 o=e.zeros(64,1025,dtype=e.int64);h=e.zeros(64,1024,dtype=e.bool)
 for(n,(i,a,l))in enumerate(t):o[n,:a+1-i]=e.arange(i,a+1);h[n,l:a-i]=True
 return o,h
def ta(t):
 s=l.perf_counter();p.eval();a=e.zeros(len(en),dtype=e.int32);i=e.zeros(3,dtype=e.float64,device=n)
 for(c,d)in enumerate(te(t),1):o,h=tt(d);i+=eU(a,c,o,h)[1]
 p.train();a=eV(a,r.ReduceOp.MAX);return eW(a,i,s),a
def to():return{a:i.x for(a,c,i)in g(ea)if i.export!='drop'}
def ti(n,d,r=0):
 e=c=to();o={}
 for(a,s)in e.items():t=n[a];l=d.get(a,{});i=Q[s].encode(a,t,l,h);o[a]=tn(a,n[a],i,s,c[a])
 return ts(o)
def tn(a,t,i,s,c):
 h=t
 for l in(i,{'kept':h}):
  if t.isfinite().all()and tl(a,l,s,t.dtype).isfinite().all():return{r:d.cpu()for(r,d)in l.items()}
 raise ValueError(f"{a} does not stay finite: nothing is exported")
def ts(o):return o
def tr(o):return aM(aK(o))
def th(data,n):
 a=2**20+sum(8*t.numel()+4096 for t in n.values())
 try:return aL(aN(data,a))
 except Exception as h:raise ValueError(f"the artifact cannot be read: {str(h)[:99]!r}")from h
def tl(a,i,s,r):t=Q[s].decode(a,i,r);return t
def td(o,n):
 e=to()
 if o.keys()!=e.keys():raise ValueError("the artifact's tensors are not the model's")
 for(a,s)in e.items():
  try:t=tc(a,o[a],s,n[a].dtype)
  except Exception as h:raise ValueError(f"the artifact's {a} cannot be decoded: {h!r}")from h
  if t.shape!=n[a].shape:raise ValueError(f"{a}: shape {[*t.shape]}, wanted {[*n[a].shape]}")
  n[a].copy_(t)
def tc(a,i,s,r):return tl(a,i,s,r)
def tu(t):
 global X,Y,oA;oA=u;X=u==0;a('logs').mkdir(exist_ok=True);Y=a('logs',t+'.txt')
 if X and not S:Y.write_text('')
 d.excepthook=s(tf,Y);faulthandler.register(signal.SIGTERM,Y.open('a'),chain=True)
def i(t):
 if X:
  print(t,flush=True)
  with Y.open('a')as o:print(t,file=o)
def tm(t):
 if X:i(f"error: {t}")
 elif t not in Y.read_text():
  with Y.open('a')as o:print(f"rank {oA}: error: {t}",file=o)
def tf(path,kind,h,trace):
 with path.open('a')as o:traceback.print_exception(h,file=o)
 d.__excepthook__(kind,h,trace)
def tp():
 o=G.sha256(a(d.argv[0]).read_bytes()).hexdigest();t=f"hardware:{I.uname().machine} CPU, {e.get_num_threads()} threads"
 if n.type=='cuda':t=subprocess.getoutput('nvidia-smi')
 i(f"Running Python {d.version}\nRunning PyTorch {e.__version__}\ncode_sha256:{o}\n{t}")
def j():return len(a(d.argv[0]).read_bytes())
oy='final_model.pt'
def q():return Q['mlp'].name
def tg():return a(f"final_model.{q()}.ptz")
def tw(o):
 n=w(p.state_dict(),ea)
 if u==0:a('final_export.pt').unlink(missing_ok=True);z(s(e.save,n),'final_model.pt')
 d=tk()
 if u==0:l=d,h.done,f,ei,ee;z(s(e.save,l),'final_export.pt')
 ty(n,d)
def ty(n,d):
 t=tP();D('diagnostic','val');i(f"diagnostic pre-quantization post-ema val_loss:{t.val_loss:.8f} val_bpb:{t.d:.8f} eval_time:{t.f:.0f}ms")
 if u==0:tx(n,d)
 ef(.0);tq()
def z(e,l):
 t=a('final_model.tmp')
 try:
  e(t)
  with t.open('rb')as o:I.fsync(o.fileno())
  t.replace(l)
 finally:t.unlink(missing_ok=True)
def tb():
 global ee,ei,f;n=w(p.state_dict(),ea);o=tv('final_model.pt');l=tv('final_export.pt');e=[a for a in n if a not in o or o[a].shape!=n[a].shape]
 if e:raise ValueError(f"final_model.pt is of another model: {e[0]} is missing or has another shape")
 for(a,t)in n.items():t.copy_(o[a])
 d,i,f,ei,ee=l;h.done.update(i);tK(ee);ty(n,d)
def tv(l):
 try:return e.load(l,n,weights_only=True)
 except OSError:raise
 except Exception as h:raise ValueError(f"{l} is damaged: {str(h)[:99]!r}")from h
def tk():global Z;d={};Z=False;return d
def tx(n,d):o=ti(n,d,j());D('quantize','none');r=tr(o);D('compress','none');z(s(a.write_bytes,data=r),tg());e=f"{q()}+zlib";i(f"Serialized model: {a(oy).stat().st_size} bytes\nCode size: {j()} bytes\nSerialized model {e}: {len(r)} bytes\nTotal submission size {e}: {len(r)+j()} bytes")
def tj():
 n=w(p.state_dict(),ea)
 for t in n.values():t.zero_()
 r=tg().read_bytes();o=G.sha256(r).hexdigest()
 if U:
  e=''.join(l.read_text()for l in a('logs').glob('*.txt'))
  if'artifact_sha256:'in e and o not in e:raise ValueError('the artifact is not that of the logs in logs/')
 i('artifact_sha256:'+o);td(th(r,n),n)
def tq():
 o=q()
 if n.type=='cuda':e.cuda.reset_peak_memory_stats()
 tj();D('decode','none');t,a=ta(eY(len(en)));D('score','val');tz(f"{o}_zlib_roundtrip",t);eX(a);h.count('chunked_eval','targets',t.A);i(f"eval: peak memory allocated: {e.cuda.max_memory_allocated()>>20} MiB")
def tz(e,t):i(f"final_{e} val_loss:{t.val_loss:.4f} val_bpb:{t.d:.4f} eval_time:{t.f:.0f}ms\nfinal_{e}_exact val_loss:{t.val_loss:.8f} val_bpb:{t.d:.8f}")
def tA():
 t=[o.l for o in P if o.name not in f];l=[n for(n,c)in h.done];r=False
 for a in ox:
  e=h.j(a)
  if a in('int8',):e=e or'nothing was left'
  if U and a not in l:continue
  if e and a not in t:i(f"receipt {a}: {e}")
  else:i(f"error: plugin {a} did nothing");r=u==0
 return r
class Progress(t):step:t;v:t;m:t;u:t;F:t;o:t
class Scalars(t):o:t;B:t;momentum:t
def tB(o,a,l):e=a/l if l>0 else o/max(m,1);return Progress(o,m,a,l,e,1.)
class Context(t):
 ids:t;phases:t;training:t;n:t;memo:t;fields:t;c:t;g:t;ledger:t
 def a(e,n,t,c=1):
  if e.ledger is not None:e.ledger.count(n,t,c)
def A(t):return c.rms_norm(t,(t.size(-1),),eps=1.1920929e-07)
def tC(a):
 if'starts'in a.fields:return a.fields['starts']
 if'documents'not in a.fields:return
 t=a.fields['documents'];return c.pad(t[:,1:]!=t[:,:-1],(1,0))
def tD(i,l,a):i=ou(i,l,a);return i
def tE(i,t,l,o,n,a):
 i=tD(i,l,a)
 if a.g is not None:a.g(l,o,t)
 return B(c.linear(t,i.to(t.dtype)),t,l,n,a)
def B(l,t,o,n,a):
 if a.c is not None and o in a.c.sites:l=l+a.c.delta(t,o,n)
 return l
def tF(t,a):
 if'rope'not in a.memo:o=t.size(1);n=t.size(3);h=t.device;l=1e4**(-e.arange(0,n,2,dtype=e.float32,device=h)/n);r=e.outer(e.arange(o,dtype=e.float32,device=h),l);a.memo['rope']=r.cos(),r.sin()
 d,c=(p[None,:,None,:].to(t.dtype)for p in a.memo['rope']);i,s=t.chunk(2,-1);return e.cat((i*d+s*c,s*d-i*c),-1)
class GPT(J.Module):
 def __init__(e,s,d):super().__init__();e.records=s;ek(e,s,d)
 def matrices(e):return w(dict(e.named_parameters()),e.records)
 def h(e,t,l,o,n,a):return tE(a.n[f"blocks.{o}.{l}.weight"],t,l,o,n,a)
 def stem(e,ids,ctx):t=c.embedding(ids,ctx.n['tok_emb.weight']);t=B(t,t,'embed',0,ctx);t=A(t);return t
 def b(e,i,a):t=e.stem(i,a);return A(aj(e,t,t,a))
 def logits(e,x,ctx):o=aG(x,ctx);o=aF(o,ctx);return o
 def forward(e,ids,targets,phases=(),reduction='mean',adapter=None,observe=None,ledger=None,fields=None):n=fields or{};l={};fields={**l,**n};a=Context(ids,phases,e.training,e.matrices(),{},fields,adapter,observe,ledger);t=e.b(ids,a);o=e.logits(t,a);d=ao(o,targets,reduction,a);return d
def tG(t):
 t=a(t);o=sorted(l for l in t.parent.glob(t.name)if('_bytes_'in l.name)==('_bytes_'in t.name))
 if not o:raise ValueError(f"{t}: no shard matches, see DATA_PATH")
 return o
def tH(l):
 t=a(l).stat().st_size;o=H.fromfile(l,'<i4',3).tolist()
 if t<=1024 or o!=[20240520,1,(t-1024)/2]:raise ValueError(f"{l}: {t} bytes and header {o}, wanted 1024 + 2n bytes and header [20240520, 1, n > 0]")
 return o[2]
def C(l):
 o=H.memmap(l,'<u2','r',1024,tH(l))
 if o.max()>=1024:raise ValueError(f"{l}: token {o.argmax()} is {o.max()}, wanted an id below 1024")
 return o
def tI(t):
 o=H.concatenate([C(l)for l in tG(t)])
 if len(o)<=1024:raise ValueError(f"{t}: {len(o)} tokens, wanted at least 1025")
 return e.from_numpy(o[:(len(o)-1)//1024*1024+1])
def tJ():global ee,oB,et;ee=.0;oB=et=l.perf_counter()
def tK(a):global oB;oB=l.perf_counter()-a/1e3
def D(a,data):global ee,et;t=1e3*(l.perf_counter()-oB);i(f"stage:{a} begin:{ee:.0f}ms end:{t:.0f}ms data:{data}");ee=t;et=l.perf_counter()
def tL(t):
 global et
 if l.perf_counter()>et+10:et=l.perf_counter();i(t)
def tM(s,r):global ei,oC,h,p,ea,f,eo,en,Z;ea=s;h=r;f=();eo='';tJ();ei=False;Z=not(U or S);d=e.bfloat16 if n.type=='cuda'else e.float32;e._dynamo.config.recompile_limit=16;p=GPT(s,d);ej(s,r);oC=eC(p);t=a(R,'fineweb_val_*.bin');en=tI(t);aQ(r);o=G.sha256(en.numpy().data).hexdigest();i(f"val_loader:shards pattern={t} tokens:{len(en)-1}\nval_sha256:{o}")
def E(r):t=a(R,'fineweb_train_*.bin');aS(t,r)
def tN():
 if not Z:raise ValueError('training data are closed: training time is over')
 d=aU();t,l=(c.to(n,non_blocking=True)for c in d);return t,l,{}
def tO():return tuple(o.name for o in P if o.q and o.name in f)
def tP():return ta(eY(len(en)))[0]
def tQ(s):
 t=[()]
 for o in s:t+=[(*l,o.name)for l in t]
 return t
def tR():
 t,l,u=tN();t,l=t[:1,:512],l[:1,:512];u={a:d[:1,:512]for(a,d)in u.items()};e=tuple(o.name for o in P);p(t,l,phases=e,fields=u,ledger=h).backward()
 for i in ea:n=sum(p.get_parameter(a).grad is not None for a in i.r());h.count(i.l,'trained tensors',n)
 p.zero_grad()
def tS():
 n=p.state_dict();r={a:t.clone()for(a,t)in n.items()};I=eB();d=v();E(d);s=P
 for l in tQ(s):
  for o in range(20):tX(I,l,Scalars(1.,1.,.9),d);i(' '.join((f"warmup_step:{o+1}/20",*l)))
 for(a,t)in n.items():t.copy_(r[a])
 e.manual_seed(V);E(h)
def tT(s):
 try:eQ();ed();r=v();tu(em(oj)[0])
 except(OSError,ValueError)as h:print(f"error: {h}",file=d.stderr);d.exit(2)
 e.manual_seed(V);e.backends.cuda.matmul.allow_tf32=True
 if T==0:tV()
 tp();i('plugins:'+' '.join(ox));tU(s,r)
 if Z:
  tW();tR();tS();o=ae()
  try:tw(o)
  except(OSError,ValueError)as h:tm(str(h));d.exit(f"error: rank {u}: {h}")
 t=tA()or ei;ec()
 if t:d.exit(1)
def tU(s,r):
 global f
 try:
  tM(s,r);eJ()
  if S:tb()
  elif U:f=tuple(o.name for o in P);tq()
  else:E(v())
  return
 except(OSError,ValueError)as h:
  tm(str(h))
  if not S:ec()
  d.exit(2)
def tV():I.environ.setdefault('CUBLAS_WORKSPACE_CONFIG',':4096:8');e.use_deterministic_algorithms(True)
def tW():i(f"model_params:{sum(t.numel()for t in p.parameters())}\nworld_size:{o} grad_accum_steps:{8//o}\nseed:{V}\ntrain_batch_tokens:524288 train_seq_len:1024 iterations:{m} warmup_steps:20 max_wallclock_seconds:{T:.3f}")
def tX(I,s,n,r):
 a=8//o;e=.0
 for c in range(a):t,l,u=tN();d=oC(t,l,phases=s,fields=u)/a;e+=d.detach();d.backward()
 I.step(n,r);return e
def tY(o,a,l):
 global f;t=tB(o,a,l);n=Scalars(1.,1.,.0);n=aX(t,n);n=oc(t,n)
 if K.name not in f and K.start(t._replace(o=n.o)):f=tuple(e.name for e in P if e.name in f or e is K);h.s(K.l,f"on at step {o}");i(f"phase {K.name} on at step:{o} train_time:{a:.0f}ms")
 return n
def tZ():return 1e3*T
def ae():
 I=eB();aZ();l=tZ();o=0;a=.0;os()
 while True:
  c=o==m or 0<l<=a
  if c or oz>0 and o%oz==0:
   oh();t=tP();at(o,f"val_loss:{t.val_loss:.4f} val_bpb:{t.d:.4f}",a)
   if c:break
   os()
  n=tY(o,a,l);d=tX(I,f,n,h);o+=1;oe(o,n);a=ef(ol(o))
  if oq>0 and(o<=10 or o%oq==0):
   at(o,f"train_loss:{d:.4f}",a)
   if d!=d:raise ValueError('the training loss is not a number')
 if o<m:i(f"stopping_early: wallclock_cap train_time:{a:.0f}ms step:{o}/{m}")
 r=e.cuda.max_memory_allocated()>>20;s=e.cuda.max_memory_reserved()>>20;i(f"peak memory allocated: {r} MiB reserved: {s} MiB");ot();tK(a);D('train','train');return o
def at(o,t,a):i(f"step:{o}/{m} {t} train_time:{a:.0f}ms step_avg:{a/max(o,1):.2f}ms")
def aa(t,i,l,a):a.a('additive_skips','skips');return t+a.n['skip_weights'][l].to(t.dtype)*i
def ao(t,o,reduction,a):a.a('cross_entropy','losses');d=c.cross_entropy(t.flatten(0,1).float(),o.flatten(),reduction=reduction);return d.view_as(o)if reduction=='none'else d
def ai(t,a):a.a('partial_rope','rotations');o=tF(t[...,:16],a);return e.cat((o,t[...,16:]),-1)
def an(t,i,o,a):
 if o<4:return t,i
 a.a('pko','layers');n=i[...,16:];l=e.cat((n[:,:1],n[:,:-1]),dim=1);r=tC(a)
 if r is not None:l=e.where(r[:,:,None,None],n,l)
 return t,e.cat((i[...,:16],l),dim=-1)
def ar(t,i,o,a):a.a('qk_gain','layers');e=a.n[f"blocks.{o}.attn.q_gain"].to(t.dtype);return t*e[:,None],i
def ah(t,i,o,n,a):a.a('relu2','layers');e=c.relu(t.h(i,'mlp.fc',o,n,a)).square();return t.h(e,'mlp.proj',o,n,a)
def al(tensor,generator,ledger):tensor.zero_();tensor[0]=1.
def ad(t,i,e,o,a):return ac(t,i,e,o,a)
def ac(t,i,e,o,a):return aE(t,i,e,o,a)
def au(t,i,o,n,a):h=t.h(i,'attn.c_q',o,n,a);r=t.h(i,'attn.c_k',o,n,a);s=t.h(i,'attn.c_v',o,n,a);h=ai(A(e.unflatten(h,2,(8,-1))),a);r=ai(A(e.unflatten(r,2,(4,-1))),a);s=e.unflatten(s,2,(4,-1));h,r=an(h,r,o,a);h,r=ar(h,r,o,a);l=ad(h,r,s,o,a);l=t.h(l.flatten(2),'attn.proj',o,n,a);return B(l,i,'attn',n,a)
def am(t,i,e,n,a):
 h=t.transpose(1,2);r=i.transpose(1,2);s=e.transpose(1,2)
 if n<0 or n>=h.size(2)-1:d=h.size(1)!=r.size(1);return c.scaled_dot_product_attention(h,r,s,is_causal=True,enable_gqa=d).transpose(1,2)
 return af(t,i,e,ap(h.size(2),n,h.device,a))
def af(t,i,e,d):h=t.transpose(1,2);r=i.transpose(1,2);s=e.transpose(1,2);o=h.size(1)//r.size(1);r=r.repeat_interleave(o,1);s=s.repeat_interleave(o,1);return c.scaled_dot_product_attention(h,r,s,attn_mask=d).transpose(1,2)
def ap(o,n,device,a):
 r='window',n
 if r not in a.memo:t=e.arange(o,device=device);i=t[:,None]-t[None,:];a.memo[r]=(i>=0)&(i<=n)
 d=a.memo[r];return d
def ag(t,r,o,a):e=a.n[f"blocks.{o}.resid_mix"].to(t.dtype);return e[0]*t+e[1]*r
def aw(t):a=A(t);return a
def ay(t,i,o,n,a):e=au(t,i,o,n,a);return a.n[f"blocks.{o}.attn_scale"].to(i.dtype)*e
def ab(t,i,o,n,a):e=ah(t,i,o,n,a);e=B(e,i,'mlp',n,a);return a.n[f"blocks.{o}.mlp_scale"].to(i.dtype)*e
def av(t,e,r,o,n,a):i=ag(e[0],r,o,a);i=i+ay(t,aw(i),o,n,a);return i+ab(t,aw(i),o,n,a),
def ak(e,i,l,o,a):
 if i is None:return e
 return aa(e[0],i,l,a),*e[1:]
def ax(t,e,r,a):
 s,h=aH();a.a('unet_plan','steps over 9 layers',len(s)+len(h));i=[]
 for(n,o)in enumerate(s):e=av(t,e,r,o,n,a);i.append(e[0])
 for(l,o)in enumerate(h):e=ak(e,i.pop()if i else None,l,o,a);e=av(t,e,r,o,len(s)+l,a)
 return e
def aj(t,o,e,a):a.a('sequential_wiring','walks');return ax(t,(o,),e,a)[0]
def aq():
 if n.type!='cuda':return'scaled_dot_product_attention',None
 try:from flash_attn_interface import flash_attn_func as t;return'flash-attn 3',t
 except ImportError:
  try:from flash_attn import flash_attn_func as t;return'flash-attn 2',t
  except ImportError:return aB(),None
def az(a,t,i,e,n):l=a(t,i,e,causal=True,window_size=(n,0));return l[0]if isinstance(l,tuple)else l
def aA(o,t,i,e,n,a):
 if o is not None:return az(o,t,i,e,n)
 return am(t,i,e,n,a)
def aB():t=e.are_deterministic_algorithms_enabled();e.backends.cuda.enable_cudnn_sdp(not t);e.backends.cuda.enable_flash_sdp(t);e.backends.cuda.enable_math_sdp(False);return'FlashAttention of PyTorch'if t else'cuDNN'
def aC():
 def t(d,head,query,key):return(query>=key)&(query-key<=256)
 return t
def aD():
 global L;a,L=aq()
 if n.type!='cuda'or L is not None:return a
 for o in(1024,1024):t=aC();M[o]=create_block_mask(t,None,None,o,o,device=n)
 return f"flex_attention (windows), {a} (full)"
def aE(h,r,s,o,a):
 t=o<4;a.a('swa','windowed layers'if t else'full layers');n=256 if t else-1
 if t and a.ledger is None and h.size(1)in M:d=h.size(2)!=r.size(2);e=h.transpose(1,2),r.transpose(1,2),s.transpose(1,2);l=flex_attention(*e,block_mask=M[h.size(1)],enable_gqa=d);return l.transpose(1,2)
 return aA(L,h,r,s,n,a)
def aF(t,a):a.a('tanh_softcap','caps');return 3e1*e.tanh(t/3e1)
def aG(o,a):a.a('tied_head','heads');return tE(a.n['tok_emb.weight'],o,'head',0,0,a)
def aH():e=tuple(range(9));return e[:len(e)//2],e[len(e)//2:]
def F(tensor,generator,ledger):a=tensor.shape[-1]**-.5;tensor.uniform_(-a,a,generator=generator);ledger.count('uniform_init','matrices')
def aI(o):t=io.BytesIO();n={d.intern(a):{d.intern(r):c for(r,c)in i.items()}for(a,i)in o.items()};e.save(n,t);return t.getvalue()
def aJ(data):return e.load(io.BytesIO(data),map_location='cpu',weights_only=True)
def aK(o):r=aI(o);h.s('torch_save',f"{len(o)} tensors in {len(r)} bytes");return r
def aL(data):return aJ(data)
def aM(data):n=zlib.compress(data,9);h.s('zlib',f"{len(data)} -> {len(n)} bytes");return n
def aN(data,a):
 h=zlib.decompressobj();t=h.decompress(data,a)
 if not h.eof or h.unused_data:raise ValueError(f"wanted one whole stream of at most {a} bytes")
 return t
def aO():
 try:t=SentencePieceProcessor(W)
 except(OSError,RuntimeError)as h:raise OSError(f"{W}: not a SentencePiece model")from h
 if len(t)>1024:raise ValueError(f"{W} has {len(t)} pieces, wanted at most vocab_size=1024")
 if t.piece_to_id('\u2581')==t.unk_id():raise ValueError(f"{W}: U+2581 is not a piece of its own")
 return t
def aP(t):
 p=[(0,0,1)]*1024
 for a in range(len(t)):
  if not(t.is_control(a)or t.is_unknown(a)or t.is_unused(a)):o=t.id_to_piece(a);i=o.startswith('\u2581');p[a]=1 if t.is_byte(a)else len(o.encode())-3*i,i,0
 return e.tensor(p).T
def aQ(r):
 global oM,oL,oD,oK
 if any(a(R).glob('*_bytes_*')):raise ValueError(f"{R}: it has byte side files, build with the plugin that reads them")
 t=aP(aO());oK,oL,oM=t.to(n);oD=r
def aR(a,t,o):oD.count('sentencepiece_bytes','targets',t.numel());r=oK[t]+(oL[t]&~oM[a]);return r
def aS(t,r):
 global es,oG,oE,er,oF;es=tG(t)
 for l in es:tH(l)
 oE=u;oF=o;oG=r;er=C(es[0])
def aT(t):
 global er;i=[]
 while t>0:
  if not len(er):es.append(es.pop(0));er=C(es[0])
  i.append(er[:t]);er=er[t:];t-=len(i[-1])
 return H.concatenate(i)
def aU():a=aT(oF*65537).reshape(oF,-1)[oE];a=e.from_numpy(a.astype(int));oG.count('sequential_loader','batches');return a[:-1].reshape(-1,1024),a[1:].reshape(-1,1024)
def aV(l):global oH;i=[{'params':h,'spec':o}for(o,h,s)in l];oH=e.optim.AdamW(i,betas=(.9,.95),eps=1e-08,fused=True)
def aW(n,r):
 for o in oH.param_groups:o['lr']=o['spec'].lr*n.o;o['weight_decay']=o['spec'].weight_decay*n.B
 oH.step();r.count('adam','steps')
def aX(t,n):a=min(t.step/500,1.);d=(1-a)*.85+a*.95;h.s('momentum_warmup',f"momentum {d:.4f} at step {t.step}");return n._replace(momentum=d)
def aY(t,steps,scale_first):
 o=t.shape[-2]>t.shape[-1]
 if o:t=t.mT
 t=t/(t.norm(dim=(-2,-1),keepdim=True)+1e-07)
 for c in range(steps):a=t@t.mT;e=2.0315*a@a if scale_first else 2.0315*(a@a);t=3.4445*t+(-4.775*a+e)@t
 return t.mT if o else t
def aZ():0
def oe(i,n):0
def ot():h.s('no_average','last weights')
class MuonBank(t):weight:t;names:t;k:t;full:t;w:t;momentum:t;Y:t
def oa(h,s):
 global eh,oN;oN={};eh=[];D=e.bfloat16 if n.type=='cuda'else e.float32
 for(i,I)in sorted(zip(h,s,strict=True),key=lambda ea:-ea[0].numel()):*c,p,P=i.shape;f=-(-len(I)//o);r=(*I,*['']*f*o)[f*u:][:f];K=[(t,p,P)for t in(f*o,f)];l,a=[e.zeros(m,dtype=D,device=n)for m in K];Y,d=[e.zeros(m,dtype=e.bfloat16,device=n)for m in K];eh.append(MuonBank(i,I,r,l,a,d,Y))
def oo():
 global oI;oI=[]
 for t in eh:l=ep(t.weight).bfloat16();t.full.flatten()[:l.numel()].copy_(l.flatten());oI.append(ew(t.w,t.full))
def oi(n,r):
 i=[]
 for(t,e)in zip(eh,oI,strict=True):
  eb(e);s=o;l=(t.w/s).bfloat16();a=eH(l,t.momentum,n.momentum);a=eE(a,t.k);i.append((t,ey(t.Y,a),a))
  if len(i)>1:on(*i.pop(0),n,r)
 for h in i:on(*h,n,r)
def on(t,e,a,n,r):eb(e);i=t.weight;o=t.Y.flatten()[:i.numel()].view_as(i);eF(i,o,t.names,eI(i),n);r.count('parallel_muon','bank updates');r.count('newton_schulz','matrices',t.Y.size(0))
def os():global oJ;oJ=l.perf_counter()-N
def oh():
 global N
 if e.cuda.is_available():e.cuda.synchronize()
 N=l.perf_counter()-oJ;h.s('wall_clock',f"{N:.3f} seconds")
def ol(o):return 1e3*(l.perf_counter()-oJ)
def od(t):
 if t.u>0:a=1200*(t.m/max(t.step,1));return min(max(t.u-t.m,.0)/max(a,1e-09),1.)
 o=t.v-t.step;return o/1200 if 0<o<=1200 else 1.
def oc(t,n):a=od(t);h.s('warmdown_iters',f"multiplier {a:.4f} at step {t.step}");return n._replace(o=n.o*a)
def ou(i,l,a):
 if not l.startswith(('attn.','mlp.'))or not a.training or'bank_qat'not in a.phases:return i
 a.a('bank_qat','matrices');n,o=eN(i.detach().float());return i+(eM(n,o,i.dtype)-i).detach()
def om(t,threshold):return t.o<threshold
class of:
 name='int6'
 def encode(e,name,tensor,statistics,ledger):
  if tensor.numel()<=65536:ledger.count('int6','tensors kept');return{'kept':tensor.half()}
  ledger.count('int6','tensors quantized');n,o=e.grid(tensor.float());return{'codes':n,'step':o}
 def grid(e,weight):return eN(weight)
 def decode(e,name,parts,kind):return eP(parts,kind)
class op:
 name='int8'
 def __init__(e,t):e.half=t
 def encode(e,name,tensor,statistics,ledger):
  if tensor.numel()<=65536:ledger.count('int8','tensors kept');return{'kept':tensor.half()if e.half else tensor.float()}
  ledger.count('int8','tensors quantized');n,o=eO(tensor.float());return{'codes':n,'step':o}
 def decode(e,name,parts,kind):return eP(parts,kind)
def og():return Param('qo_bank',(18,512,512),'matrix','attn',(F,eq),'banks',i=('blocks.{}.attn.c_q.weight','blocks.{}.attn.proj.weight'),reduction='sharded'),Param('kv_bank',(18,256,512),'matrix','attn',(F,F),'banks',i=('blocks.{}.attn.c_k.weight','blocks.{}.attn.c_v.weight'),reduction='sharded'),Param('mlp_up_bank',(9,1024,512),'matrix','mlp',(F,),'banks',i=('blocks.{}.mlp.fc.weight',),reduction='sharded'),Param('mlp_down_bank',(9,512,1024),'matrix','mlp',(eq,),'banks',i=('blocks.{}.mlp.proj.weight',),reduction='sharded'),Param('skip_weights',(4,512),'scalar','control',y,'additive_skips'),Param('blocks.{}.attn.q_gain',(8,),'scalar','control',s(ez,value=1.5),'qk_gain',layers=9),Param('blocks.{}.attn_scale',(512,),'scalar','control',y,'residual_scales',layers=9),Param('blocks.{}.mlp_scale',(512,),'scalar','control',y,'residual_scales',layers=9),Param('blocks.{}.resid_mix',(2,512),'scalar','control',al,'residual_scales',layers=9),Param('tok_emb.weight',(1024,512),'embed','embed',s(eA,std=.005),'tied_head','activation',z='head')
ob=Group('embed',.05)
ov=Group('scalar',.04)
K=Phase('bank_qat',s(om,threshold=.15),False,'bank_qat')
def ow():global eo;eo='swa';eK(aD())
L=None
M={}
N=.0
ok=s(aY,scale_first=False)
O=None
P=K,
ox='adam','additive_skips','bank_qat','banks','chunked_eval','cross_entropy','int6','int8','momentum_warmup','newton_schulz','no_average','parallel_muon','partial_rope','pko','qk_gain','relu2','residual_scales','sentencepiece_bytes','sequential_loader','sequential_wiring','swa','tanh_softcap','tied_head','torch_save','unet_plan','uniform_init','wall_clock','warmdown_iters','zlib'
Q={'attn':of(),'control':op(False),'embed':op(True),'mlp':of()}
if __name__=='__main__':tT(og())